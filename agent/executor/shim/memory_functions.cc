#include <cstddef>

// The compiler may call these for initialisations, library or not.
extern "C" {
void* memset(void* target, int byte, std::size_t size) {
  asm volatile("rep stosb" : "+D"(target), "+c"(size) : "a"(byte) : "memory");
  return target;
}
void* memcpy(void* target, const void* source, std::size_t size) {
  void* start = target;
  asm volatile("rep movsb" : "+D"(target), "+S"(source), "+c"(size) : : "memory");
  return start;
}
}
