// The smallest program there is: ends at once with 0. No C library, so that what starting it costs
// is the kernel's part of a start and nothing else.
asm(".globl _start\n"
    "_start:\n\t"
    "mov $60, %eax\n\t"  // SYS_exit
    "xor %edi, %edi\n\t"
    "syscall\n");
