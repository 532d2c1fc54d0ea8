import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../../activities/process/run.ts';

/**
 * An installer of a sector: it prints a word on the serial port, copies itself and sector 16 of the other CD (the name of
 * which is there) to the first disk by the BIOS, and ends.
 *
 *     cli; xor ax, ax; mov ds, ax; mov es, ax; mov ss, ax; mov sp, 0x7c00; sti; mov bl, dl
 *     mov si, text; print: lodsb; test al, al; je read; mov dx, 0x3f8; out dx, al; jmp print
 *     read: mov dl, bl; xor dl, 1; mov si, answers; mov ah, 0x42; int 0x13; jc stop
 *     mov dl, 0x80; mov si, sectors; mov ax, 0x4300; int 0x13; jc stop
 *     mov al, [ending]; cmp al, 'P'; jne 1f; mov dx, 0x604; mov ax, 0x2000; out dx, ax      ; power off, by ACPI
 *     1: cmp al, 'R'; jne stop; mov dx, 0xcf9; mov al, 6; out dx, al                         ; start anew
 *     stop: hlt; jmp stop
 *     answers: db 16, 0, 1, 0; dw 0x7e00, 0; dq 16; sectors: db 16, 0, 5, 0; dw 0x7c00, 0; dq 0
 *     text: db "installing\r\n", 0; ending: db 'P'
 */
const program = [
  'fa31c08ed88ec08ed0bc007cfb88d3be727cac84c07406baf803eeebf588da80f201be527cb442cd137224b280be627cb80043cd13721',
  '8a07f7c3c507507ba0406b80020ef3c527506baf90cb006eef4ebfd10000100007e0000100000000000000010000500007c0000000000',
  '0000000000696e7374616c6c696e670d0a00',
].join('');

const endings = { off: 'P', anew: 'R', never: 'H' } as const;

/** @param ending how it ends: it switches the machine off, starts it anew, or stands still @returns the image's path */
export async function tinyIso(
  root: string,
  ending: keyof typeof endings,
  files: Readonly<Record<string, string>> = {},
) {
  const directory = join(root, `iso-${ending}`);
  await mkdir(directory, { recursive: true });
  const code = Buffer.concat([Buffer.from(program, 'hex'), Buffer.from(endings[ending])]);
  const sector = Buffer.concat([code, Buffer.alloc(510 - code.length), Buffer.from('55aa', 'hex')]);
  await writeFile(join(directory, 'boot.bin'), sector);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  const boot = ['-eltorito-boot', 'boot.bin', '-no-emul-boot', '-boot-load-size', '1', '-eltorito-catalog', 'boot.cat'];
  const path = `${directory}.iso`;
  await must('genisoimage', ['-quiet', '-output', path, '-rational-rock', '-volid', 'TINY', ...boot, directory]);
  return path;
}
