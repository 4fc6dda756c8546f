// A step that says when it runs: a static program without C library, so that its own start costs
// next to nothing. Times are of CLOCK_MONOTONIC in ns, as 20 digits and a line end.
//
//   potok-bench-step stamp FILE           writes the time of its first instruction into FILE
//   potok-bench-step write SIZE COUNT     the time, then COUNT writes of SIZE bytes, to its output
//   potok-bench-step stamps COUNT MICROS  the time, COUNT times, every MICROS, to its output
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

namespace {

constexpr long kStampBytes = 21;

long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  long result = 0;
  register long r10 asm("r10") = d;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
               : "rcx", "r11", "memory");
  return result;
}

long Address(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

void Stamp(char* out) {
  timespec now;
  Call(SYS_clock_gettime, CLOCK_MONOTONIC, Address(&now));
  long nanos = now.tv_sec * 1'000'000'000 + now.tv_nsec;
  out[kStampBytes - 1] = '\n';
  for (long i = kStampBytes - 2; i >= 0; --i, nanos /= 10) {
    out[i] = static_cast<char>('0' + nanos % 10);
  }
}

void Write(long file, const char* bytes, long size) {
  while (size > 0) {
    const long written = Call(SYS_write, file, Address(bytes), size);
    if (written <= 0) Call(SYS_exit_group, 1);
    bytes += written;
    size -= written;
  }
}

long Number(const char* text) {
  long number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return number;
}

// Lines of 100 bytes, so that any size is text of lines.
char block[1 << 20];

void WriteBlocks(long size, long count) {
  if (size > static_cast<long>(sizeof block)) Call(SYS_exit_group, 2);
  for (long i = 0; i < size; ++i) block[i] = (i % 100 == 99 || i == size - 1) ? '\n' : 'x';
  for (long i = 0; i < count; ++i) Write(1, block, size);
}

void WriteStamps(long count, long micros) {
  char stamp[kStampBytes];
  const timespec pause = {micros / 1'000'000, micros % 1'000'000 * 1000};
  for (long i = 0; i < count; ++i) {
    Stamp(stamp);
    Write(1, stamp, kStampBytes);
    Call(SYS_nanosleep, Address(&pause));
  }
}

}  // namespace

extern "C" [[noreturn]] void Main(const long* stack) {
  char first[kStampBytes];
  Stamp(first);
  const long count = stack[0];
  const auto* argv = reinterpret_cast<const char* const*>(stack + 1);
  const char kind = count > 2 ? argv[1][0] : '?';
  if (kind == 's' && argv[1][5] == '\0') {
    const long file =
        Call(SYS_open, Address(argv[2]), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    Write(file, first, kStampBytes);
  } else if (kind == 's' && count > 3) {
    WriteStamps(Number(argv[2]), Number(argv[3]));
  } else if (kind == 'w' && count > 3) {
    Write(1, first, kStampBytes);
    WriteBlocks(Number(argv[2]), Number(argv[3]));
  } else {
    Call(SYS_exit_group, 2);
  }
  while (true) Call(SYS_exit_group, 0);
}

asm(".globl _start\n"
    "_start:\n\t"
    "mov %rsp, %rdi\n\t"
    "and $-16, %rsp\n\t"
    "call Main\n");
