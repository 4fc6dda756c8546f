// System calls without the C library. A static program that starts the C library costs 270 us more
// per start than one that does not (page faults, relocations), several times what the shim itself
// does, so the shim has no library at all.
#pragma once

#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

#ifndef __x86_64__
#error "potok-shim knows x86-64 only: port Call, CloneAndRun and _start of this folder"
#endif

namespace potok::shim {

template <class Object>
long Word(Object* value) {
  return reinterpret_cast<long>(value);
}
template <class Integer>
long Word(Integer value) {
  return static_cast<long>(value);
}
inline long Word(std::nullptr_t) {
  return 0;
}

// The kernel's answer: at least 0, or a negative errno.
inline long RawCall(long number, long a, long b, long c, long d, long e, long f) {
  long answer = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(answer)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return answer;
}

template <class A = int, class B = int, class C = int, class D = int, class E = int, class F = int>
long Call(long number, A a = {}, B b = {}, C c = {}, D d = {}, E e = {}, F f = {}) {
  return RawCall(number, Word(a), Word(b), Word(c), Word(d), Word(e), Word(f));
}

[[noreturn]] inline void Exit(int code) {
  for (;;) Call(SYS_exit_group, code);
}

// clone3(2) whose child runs `function(argument)` on the stack that `arguments` names and never
// comes back: with CLONE_VM the parent's own stack must stay as it is.
inline long CloneAndRun(const void* arguments,
                        std::size_t size,
                        void (*function)(void*),
                        void* argument) {
  long answer = SYS_clone3;
  register void (*function_register)(void*) asm("r12") = function;
  register void* argument_register asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r13, %%rdi\n\t"
      "call *%%r12\n\t"
      "hlt\n"
      "1:"
      : "+a"(answer)
      : "D"(arguments), "S"(size), "r"(function_register), "r"(argument_register)
      : "rcx", "r11", "memory", "cc");
  return answer;
}

}  // namespace potok::shim
