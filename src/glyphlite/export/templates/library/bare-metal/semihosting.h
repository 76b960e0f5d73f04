/* Text out and an exit status through semihosting: the program stops at a special instruction, and the debugger or QEMU
 * does what its registers ask for. On a board without a debugger write to a UART in place of it: put_text is the one place. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

void put_text(const char *text);
void put_number(int number);
void end_program(int status);

#endif
