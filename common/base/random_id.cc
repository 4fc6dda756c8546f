#include "common/base/random_id.h"

#include <sys/random.h>

#include "common/base/check.h"

namespace potok {

std::string RandomId(std::size_t characters) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr unsigned kAlphabetSize = 36;
  std::string id;
  while (id.size() < characters) {
    unsigned char bytes[32];
    POTOK_CHECK(getrandom(bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes));
    for (const unsigned char byte : bytes) {
      // 252 is the largest multiple of 36 below 256: what lies above would favour the first
      // letters.
      if (byte < 252 && id.size() < characters) id.push_back(kAlphabet[byte % kAlphabetSize]);
    }
  }
  return id;
}

}  // namespace potok
