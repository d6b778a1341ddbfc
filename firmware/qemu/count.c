/* A QEMU TCG plugin: counts what runs between the entry of a function and its return, by address and by layer.

   Arguments: start=ADDRESS of the function, out=FILE, and optionally calls=COUNT of its calls to count (1),
   low=ADDRESS and high=ADDRESS of the stack, layers=FILE with a line for each function of a layer: its first
   address, the one after it, the number of the layer. The instruction that ran right before `start` is the
   call; when the one after it runs, the function is back. FILE gets lines

       at ADDRESS EXECUTIONS TAKEN   executions, and those after which not the next instruction ran
       in CALL ADDRESS EXECUTIONS TAKEN   the same within one call of a layer, counted as the lines `layer` are
       layer NUMBER EXECUTIONS       from the entry of a layer's function to its return, calls in order: a line
                                     for each, summed over COUNT, however many are of one function; those
                                     of layer 0, the function itself, come first
       stack ADDRESS                 the lowest address of the stack that was written to
       unaligned ADDRESS AT          an instruction that accessed memory at AT, no multiple of its elements' size

   The functions of QEMU that it uses are declared here, so that no header is needed. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct insn;
struct tb;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id id, struct tb *tb));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*done)(plugin_id id, void *data), void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(
    struct insn *insn, void (*executed)(unsigned vcpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(
    struct insn *insn, void (*accessed)(unsigned vcpu, uint32_t info, uint64_t address, void *data), int flags,
    int kind, void *data);
unsigned qemu_plugin_mem_size_shift(uint32_t info);
bool qemu_plugin_mem_is_store(uint32_t info);
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn);
size_t qemu_plugin_insn_size(const struct insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 2;
__attribute__((visibility("default"))) int qemu_plugin_install(
    plugin_id id, const void *info, int argc, char **argv);

enum { SLOTS = 1 << 19, CELLS = 1 << 20, LAYERS = 1 << 12, NO_CALLBACK_FLAGS = 0, LOADS_AND_STORES = 3 };

typedef struct slot slot_t;

typedef struct { /* an address within a call */
    slot_t *slot;
    uint64_t runs, taken;
    int call;
} cell_t;

struct slot {
    uint64_t address, next, runs, taken, unaligned; /* the last is where it accessed memory, 0 for nowhere */
    int layer; /* that begins here or goes on, -1 for code of nobody in particular */
    cell_t *cell; /* the last one */
};

typedef struct {
    unsigned long first, end;
    int number;
} range_t;

static slot_t slots[SLOTS];
static cell_t cells[CELLS];
static cell_t *previous_cell;
static range_t ranges[LAYERS];
static uint64_t call_runs[LAYERS]; /* by call of a layer since `start`; 0: not in one */
static int call_layers[LAYERS];
static int range_count;
static slot_t *previous;
static uint64_t start, back, low, high, lowest;
static int inside, call, entered; /* the call that is under way; how many there were */
static unsigned long calls, wanted = 1;
static const char *out;

/* The layer whose function holds an address, -1 for none. */
static int layer_of(uint64_t address)
{
    for (int i = 0; i < range_count; i++)
        if (address >= ranges[i].first && address < ranges[i].end)
            return ranges[i].number;
    return -1;
}

/* The slot of an address; open addressing, never full for images below a megabyte. */
static slot_t *slot_of(uint64_t address, uint64_t size)
{
    for (uint64_t i = (address >> 1) % SLOTS, tried = 0; tried < SLOTS; i = (i + 1) % SLOTS, tried++) {
        if (slots[i].address == address && slots[i].next != 0)
            return &slots[i];
        if (slots[i].next == 0) {
            slots[i].address = address;
            slots[i].next = address + size;
            slots[i].layer = layer_of(address);
            return &slots[i];
        }
    }
    fprintf(stderr, "too many addresses\n");
    exit(1);
}

/* The cell of an address in the call that is under way. */
static cell_t *cell_of(slot_t *slot)
{
    uint64_t i = ((uint64_t)(slot - slots) * 31u + (uint64_t)call * 2654435761u) % CELLS;

    if (slot->cell != NULL && slot->cell->call == call)
        return slot->cell;
    for (uint64_t tried = 0; tried < CELLS; i = (i + 1) % CELLS, tried++) {
        if (cells[i].slot == NULL) {
            cells[i].slot = slot;
            cells[i].call = call;
        }
        if (cells[i].slot == slot && cells[i].call == call)
            return slot->cell = &cells[i];
    }
    fprintf(stderr, "too many addresses\n");
    exit(1);
}

static void executed(unsigned vcpu, void *data)
{
    slot_t *slot = data;

    (void)vcpu;
    if (inside && previous->next != slot->address) {
        previous->taken++;
        previous_cell->taken++;
    }
    if (inside && slot->address == back)
        inside = 0;
    if (!inside && slot->address == start && calls < wanted) {
        inside = 1;
        calls++;
        back = previous->next;
        call = entered = 0;
    }
    if (inside) {
        slot->runs++;
        if (slot->layer == 0)
            call = 0;
        else if (slot->layer > 0 && call == 0 && entered < LAYERS - 1) {
            call = ++entered;
            call_layers[call] = slot->layer;
        }
        call_runs[call]++;
        previous_cell = cell_of(slot);
        previous_cell->runs++;
    }
    previous = slot;
}

static void accessed(unsigned vcpu, uint32_t info, uint64_t address, void *data)
{
    slot_t *slot = data;
    const unsigned shift = qemu_plugin_mem_size_shift(info);
    const uint64_t mask = (1u << (shift < 2 ? shift : 2)) - 1u; /* registers of eight bytes are two words */

    (void)vcpu;
    if (!inside)
        return;
    if (qemu_plugin_mem_is_store(info) && address >= low && address < lowest)
        lowest = address;
    if ((address & mask) != 0)
        slot->unaligned = address;
}

static void translated(plugin_id id, struct tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
        slot_t *slot = slot_of(qemu_plugin_insn_vaddr(insn), qemu_plugin_insn_size(insn));

        qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, NO_CALLBACK_FLAGS, slot);
        if (high != 0)
            qemu_plugin_register_vcpu_mem_cb(insn, accessed, NO_CALLBACK_FLAGS, LOADS_AND_STORES, slot);
    }
}

static void done(plugin_id id, void *data)
{
    FILE *file = fopen(out, "w");

    (void)id;
    (void)data;
    if (file == NULL)
        exit(1);
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].runs != 0)
            fprintf(file, "at %llu %llu %llu\n", (unsigned long long)slots[i].address,
                    (unsigned long long)slots[i].runs, (unsigned long long)slots[i].taken);
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].unaligned != 0)
            fprintf(file, "unaligned %llu %llu\n", (unsigned long long)slots[i].address,
                    (unsigned long long)slots[i].unaligned);
    for (int i = 0; i < CELLS; i++)
        if (cells[i].slot != NULL)
            fprintf(file, "in %d %llu %llu %llu\n", cells[i].call, (unsigned long long)cells[i].slot->address,
                    (unsigned long long)cells[i].runs, (unsigned long long)cells[i].taken);
    for (int i = 0; i < LAYERS; i++)
        if (call_runs[i] != 0)
            fprintf(file, "layer %d %llu\n", call_layers[i], (unsigned long long)call_runs[i]);
    fprintf(file, "stack %llu\n", (unsigned long long)lowest);
    fclose(file);
}

static int read_layers(const char *name)
{
    FILE *file = fopen(name, "r");
    range_t found;

    if (file == NULL)
        return 0;
    while (fscanf(file, "%lu %lu %d", &found.first, &found.end, &found.number) == 3)
        if (range_count < LAYERS && found.number >= 0 && found.number < LAYERS)
            ranges[range_count++] = found;
    fclose(file);
    return 1;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "start=", 6) == 0)
            start = strtoull(argv[i] + 6, NULL, 0);
        if (strncmp(argv[i], "out=", 4) == 0)
            out = argv[i] + 4;
        if (strncmp(argv[i], "calls=", 6) == 0)
            wanted = strtoul(argv[i] + 6, NULL, 0);
        if (strncmp(argv[i], "low=", 4) == 0)
            low = strtoull(argv[i] + 4, NULL, 0);
        if (strncmp(argv[i], "high=", 5) == 0)
            lowest = high = strtoull(argv[i] + 5, NULL, 0);
        if (strncmp(argv[i], "layers=", 7) == 0 && !read_layers(argv[i] + 7))
            return 1;
    }
    if (start == 0 || out == NULL)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, done, NULL);
    return 0;
}
