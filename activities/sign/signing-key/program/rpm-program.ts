import { readFileSync, writeFileSync } from 'node:fs';
import { dearmor } from '../../../keys/armor.ts';
import { KeyRefused } from '../port.ts';
import type { ProgramKey } from '../settings.ts';
import { askProgram } from './ask.ts';
import { faultLine } from './fault.ts';
import { keyVariable } from './rpmsign.ts';

// Runs in the place of GnuPG, as rpmsign calls it: where the signature goes, and what is signed or nothing for the input.
const [signature = '', named = '-'] = process.argv.slice(2);
const key = JSON.parse(process.env[keyVariable] ?? '') as ProgramKey;
try {
  const answer = await askProgram(key, 'detach-sign', readFileSync(named === '-' ? 0 : named));
  writeFileSync(signature, dearmor('SIGNATURE', answer));
} catch (error) {
  console.error(error instanceof KeyRefused ? faultLine(error) : error);
  process.exitCode = 1;
}
