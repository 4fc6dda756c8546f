#include "common/rpc/utf8.h"

#include <google/protobuf/stubs/common.h>

#include <algorithm>

namespace potok {

std::string AsUtf8(std::string text) {
  const auto size = static_cast<int>(text.size());
  if (!google::protobuf::internal::IsStructurallyValidUTF8(text.data(), size)) {
    std::ranges::replace_if(
        text, [](unsigned char c) { return c >= 0x80; }, '?');
  }
  return text;
}

}  // namespace potok
