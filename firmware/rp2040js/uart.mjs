/* A Pico in rp2040js with its UART0 on a Unix socket.
 *
 *   node uart.mjs PACKAGE IMAGE.bin ORIGIN SOCKET
 *
 * PACKAGE is the folder of the npm package rp2040js, ORIGIN the address of the image. The boot ROM and the boot stage in the first 256 bytes only make the
 * flash readable, which it is here: the core starts as the boot stage leaves it (RP2040 datasheet, 2.8.1: stack pointer, program counter and VTOR from
 * ORIGIN + 0x100). Bytes come in as fast as the receive FIFO takes them. When nothing was sent for QUIET instructions, the clock stands still until a byte
 * comes; the process ends when the host hangs up. */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const BOOT_STAGE = 0x100;
const SLICE = 100_000; // instructions between looks at the socket
const QUIET = 400_000_000;
const CYCLE_NS = 1e9 / 125e6;

const [folder, image, origin, path] = process.argv.slice(2);
const { RP2040, ConsoleLogger, LogLevel } = await import(pathToFileURL(join(folder, "dist", "esm", "index.js")).href);

const mcu = new RP2040();
mcu.logger = new ConsoleLogger(LogLevel.Error, false);
mcu.flash.fill(0xff);
mcu.flash.set(readFileSync(image));
const table = Number(origin) + BOOT_STAGE;
mcu.core.VTOR = table;
mcu.core.SP = mcu.readUint32(table);
mcu.core.PC = mcu.readUint32(table + 4) & ~1;

const server = createServer(serve);
server.listen(path);

function serve(line) {
  const uart = mcu.uart[0], waiting = [], sent = [];
  let quiet = 0, asleep = false;

  uart.onByte = (byte) => { sent.push(byte); quiet = 0; };
  line.on("data", (data) => {
    for (const byte of data) waiting.push(byte);
    quiet = 0;
    if (asleep) { asleep = false; setImmediate(slice); }
  });
  line.on("close", () => process.exit(0));
  line.on("error", () => process.exit(0));

  function slice() {
    let next = 0;
    for (let count = 0; count < SLICE; count++) {
      if (next < waiting.length && uart.rxEnabled && uart.enabled && uart.rxFIFO.empty) uart.feedByte(waiting[next++]);
      if (mcu.core.waiting) {
        const nap = mcu.clock.nanosToNextAlarm;
        if (nap <= 0) break; // only a byte can wake it
        mcu.clock.tick(nap);
      } else {
        mcu.clock.tick(mcu.core.executeInstruction() * CYCLE_NS);
      }
    }
    waiting.splice(0, next);
    if (sent.length) line.write(Buffer.from(sent.splice(0)));
    quiet += SLICE;
    const idle = mcu.core.waiting && mcu.clock.nanosToNextAlarm <= 0;
    if (waiting.length === 0 && (idle || quiet > QUIET)) asleep = true;
    else setImmediate(slice);
  }

  slice();
}
