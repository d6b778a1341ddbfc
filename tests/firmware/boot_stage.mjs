// The boot stage of an image where the RP2040's boot ROM runs it: node boot_stage.mjs PACKAGE IMAGE.bin STATUS
// STATUS is what the flash answers to command 35h. Prints where it ended and what it set the flash interface to.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file, status] = process.argv.slice(2);
const { RP2040, ConsoleLogger, LogLevel } = await import(pathToFileURL(join(folder, "dist", "esm", "index.js")).href);
const RAM = 0x20041f00; // RP2040 datasheet, 2.8.1.3

const mcu = new RP2040();
mcu.logger = new ConsoleLogger(LogLevel.Error, false);
const image = readFileSync(file), start = image.readUInt32LE(0x104) & ~1;
mcu.flash.fill(0xff);
mcu.flash.set(image);
for (let at = 0; at < 256; at += 4) mcu.writeUint32(RAM + at, image.readUInt32LE(at));

const written = {}, sent = [];
const ssi = Object.values(mcu.peripherals).find((part) => part.constructor.name === 'RPSSI'), write = ssi.writeUint32.bind(ssi), read = ssi.readUint32.bind(ssi);
ssi.writeUint32 = (offset, value) => {
  if (offset === 0x60) sent.push(value);
  else written[offset.toString(16)] = value >>> 0;
  write(offset, value);
};
ssi.readUint32 = (offset) => (offset === 0x60 ? Number(status) : read(offset));

mcu.core.SP = mcu.core.PC = RAM;
let left = 10_000;
while (left-- > 0 && mcu.core.PC !== start) mcu.core.executeInstruction();
const { PC, SP, VTOR } = mcu.core;
console.log(JSON.stringify({ arrived: PC === start, SP: SP >>> 0, VTOR: VTOR >>> 0, sent, written }));
