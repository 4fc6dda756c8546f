#include "agent/executor/shim/proc_files.h"

#include <fcntl.h>

#include "agent/executor/shim/system_calls.h"

namespace potok::shim {
namespace {

constexpr std::int64_t kPageBytes = 4096;
constexpr int kDepthMax = 64;  // of the process tree; deeper ones are reached when parents are gone

struct Path {
  char text[128];
  std::size_t length = 0;

  Path& Add(const char* part) {
    while (*part != 0 && length + 1 < sizeof(text)) text[length++] = *part++;
    text[length] = 0;
    return *this;
  }
  Path& Add(long number) {
    char digits[24];
    std::size_t at = sizeof(digits) - 1;
    digits[at] = 0;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    return Add(digits + at);
  }
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Reads a number at `text` and moves behind it.
std::int64_t TakeNumber(const char*& text) {
  std::int64_t number = 0;
  while (IsDigit(*text)) number = number * 10 + (*text++ - '0');
  return number;
}

struct Directory {  // getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

struct Walk {
  void (*visit)(int pid, void* context);
  void* context;
};

void VisitChildren(int pid, const Walk& walk, int depth);

void VisitChildrenOfThread(int pid, long thread, const Walk& walk, int depth) {
  char text[4096];
  Path path;
  path.Add("/proc/").Add(pid).Add("/task/").Add(thread).Add("/children");
  const long size = ReadText(path.text, text, sizeof(text));
  if (size <= 0) return;
  // A list that fills the buffer may be cut within a number.
  bool cut = size == static_cast<long>(sizeof(text)) - 1;
  for (const char* at = text; IsDigit(*at);) {
    const auto child = static_cast<int>(TakeNumber(at));
    if (cut && *at == 0) return;
    while (*at == ' ') ++at;
    walk.visit(child, walk.context);
    VisitChildren(child, walk, depth + 1);
  }
}

void VisitChildren(int pid, const Walk& walk, int depth) {
  if (depth > kDepthMax) return;
  Path path;
  path.Add("/proc/").Add(pid).Add("/task");
  const long folder = Call(SYS_open, path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  alignas(Directory) char entries[1024];
  for (long size = 0; (size = Call(SYS_getdents64, folder, entries, sizeof(entries))) > 0;) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Directory*>(entries + at);
      const char* name = entry->name;
      if (IsDigit(*name)) VisitChildrenOfThread(pid, TakeNumber(name), walk, depth);
      at += entry->length;
    }
  }
  Call(SYS_close, folder);
}

struct MemorySum {
  std::int64_t bytes = 0;
  bool exact = false;
};

void AddMemoryOf(int pid, void* context) {
  auto* sum = static_cast<MemorySum*>(context);
  char text[4096];
  Path path;
  path.Add("/proc/").Add(pid).Add(sum->exact ? "/smaps_rollup" : "/statm");
  if (ReadText(path.text, text, sizeof(text)) <= 0) return;
  if (sum->exact) {
    sum->bytes += static_cast<std::int64_t>(NumberNamed(text, "Pss:")) * 1024;
    return;
  }
  const char* at = text;
  TakeNumber(at);  // the first field is the address space's size
  while (*at == ' ') ++at;
  sum->bytes += TakeNumber(at) * kPageBytes;
}

}  // namespace

long ReadText(const char* path, char* text, std::size_t size) {
  const long file = Call(SYS_open, path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return file;
  long length = 0;
  while (length + 1 < static_cast<long>(size)) {
    const long n = Call(SYS_read, file, text + length, static_cast<long>(size) - 1 - length);
    if (n <= 0) break;
    length += n;
  }
  text[length] = 0;
  Call(SYS_close, file);
  return length;
}

std::uint64_t NumberNamed(const char* text, const char* name) {
  for (const char* line = text; *line != 0;) {
    const char* at = line;
    const char* wanted = name;
    while (*wanted != 0 && *at == *wanted) ++at, ++wanted;
    if (*wanted == 0 && *at == ' ') {
      while (*at == ' ') ++at;
      return static_cast<std::uint64_t>(TakeNumber(at));
    }
    while (*line != 0 && *line != '\n') ++line;
    if (*line == '\n') ++line;
  }
  return 0;
}

void VisitDescendants(int pid, void (*visit)(int pid, void* context), void* context) {
  VisitChildren(pid, Walk{visit, context}, 0);
}

std::int64_t MemoryOfDescendants(int pid, bool exact) {
  MemorySum sum;
  sum.exact = exact;
  VisitDescendants(pid, &AddMemoryOf, &sum);
  return sum.bytes;
}

}  // namespace potok::shim
