/* A QEMU TCG plugin: counts what runs between the entry of a function and its return, by address.

   Arguments: start=ADDRESS of the function, out=FILE. The instruction that ran right before `start` is the
   call; when the one after it runs, the function is back. FILE gets a line for each address that ran: address,
   executions, executions after which something other than the next instruction ran. The functions of QEMU
   that it uses are declared here, so that no header is needed. */
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
size_t qemu_plugin_tb_n_insns(const struct tb *tb);
struct insn *qemu_plugin_tb_get_insn(const struct tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct insn *insn);
size_t qemu_plugin_insn_size(const struct insn *insn);

__attribute__((visibility("default"))) int qemu_plugin_version = 2;
__attribute__((visibility("default"))) int qemu_plugin_install(
    plugin_id id, const void *info, int argc, char **argv);

enum { SLOTS = 1 << 16 };

typedef struct {
    uint64_t address, next, runs, taken;
} slot_t;

static slot_t slots[SLOTS];
static slot_t *previous;
static uint64_t start, back;
static int inside, calls;
static const char *out;

/* The slot of an address; open addressing, never full for the images of the tests. */
static slot_t *slot_of(uint64_t address, uint64_t size)
{
    for (uint64_t i = (address >> 1) % SLOTS, tried = 0; tried < SLOTS; i = (i + 1) % SLOTS, tried++) {
        if (slots[i].address == address && slots[i].next != 0)
            return &slots[i];
        if (slots[i].next == 0) {
            slots[i].address = address;
            slots[i].next = address + size;
            return &slots[i];
        }
    }
    fprintf(stderr, "too many addresses\n");
    exit(1);
}

static void executed(unsigned vcpu, void *data)
{
    slot_t *slot = data;

    (void)vcpu;
    if (inside && previous->next != slot->address)
        previous->taken++;
    if (inside && slot->address == back)
        inside = 0;
    if (!inside && slot->address == start && calls == 0) {
        inside = 1;
        calls++;
        back = previous->next;
    }
    if (inside)
        slot->runs++;
    previous = slot;
}

static void translated(plugin_id id, struct tb *tb)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
        slot_t *slot = slot_of(qemu_plugin_insn_vaddr(insn), qemu_plugin_insn_size(insn));

        qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, 0, slot);
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
            fprintf(file, "%llu %llu %llu\n", (unsigned long long)slots[i].address,
                    (unsigned long long)slots[i].runs, (unsigned long long)slots[i].taken);
    fclose(file);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "start=", 6) == 0)
            start = strtoull(argv[i] + 6, NULL, 0);
        if (strncmp(argv[i], "out=", 4) == 0)
            out = argv[i] + 4;
    }
    if (start == 0 || out == NULL)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, done, NULL);
    return 0;
}
