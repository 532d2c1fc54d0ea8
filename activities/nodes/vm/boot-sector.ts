/**
 * A program for a machine without a system: it goes to 64 bits as a kernel does, changes a table of its pages by an
 * instruction that Linux uses and not every KVM knows in the place of the processor, and says 42 to the device at 0xf4.
 *
 *     cli; xor eax, eax; mov ds, ax; mov es, ax; mov di, 0x1000; mov cx, 0xc00; rep stosd
 *     mov word [0x1000], 0x2003; mov word [0x2000], 0x3003; mov byte [0x3000], 0x83   ; 2 MiB at 0
 *     mov al, 0x20; mov cr4, eax; mov ax, 0x1000; mov cr3, eax                        ; PAE
 *     mov ecx, 0xc0000080; rdmsr; or ah, 1; wrmsr                                     ; EFER.LME
 *     lgdt [gdtr]; mov eax, cr0; or eax, 0x80000001; mov cr0, eax; jmp 8:long
 *     long: xor eax, eax; cdq; xor ebx, ebx; xor ecx, ecx
 *     mov edi, 0x3ff0; lock cmpxchg16b [rdi]; jnz stop; mov al, 42; out 0xf4, al
 *     stop: hlt
 *     gdt: dq 0, 0x00209a0000000000; gdtr: dw 15; dd gdt
 */
const program = [
  'fa6631c08ed88ec0bf0010b9000c66f3abc70600100320c70600200330c606003083b0200f22e0b800100f22d866b9800000',
  'c00f3280cc010f300f0116787c0f20c0660d010000800f22c0ea507c080031c09931db31c9bff03f0000f0480fc70f7504b0',
  '2ae6f4f4000000000000000000000000009a20000f00687c0000',
].join('');

const code = Buffer.from(program, 'hex');

/** The first sector of a disk with it, and the mark of one. */
export const bootSector = Buffer.concat([code, Buffer.alloc(510 - code.length), Buffer.from('55aa', 'hex')]);
