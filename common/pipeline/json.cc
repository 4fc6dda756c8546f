#include "common/pipeline/json.h"

#include <cctype>
#include <cstdint>

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr int kJsonLevelsMax = 100;

bool IsDigitChar(char c) {
  return c >= '0' && c <= '9';
}

void AppendUtf8(std::uint32_t code, std::string* text) {
  const auto push = [text](std::uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 0x3F));
    push(0x80 | (code >> 6 & 0x3F));
    push(0x80 | (code & 0x3F));
  }
}

class JsonReader {
 public:
  explicit JsonReader(const std::string& text) : text_(text) {}

  absl::StatusOr<JsonNode> Run() {
    JsonNode root;
    POTOK_RETURN_IF_ERROR(Value(0, &root));
    SkipBlanks();
    if (at_ != text_.size()) return Wrong("the end");
    return root;
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size() && std::string(" \t\r\n").find(text_[at_]) != std::string::npos)
      ++at_;
  }
  absl::Status Wrong(const std::string& wanted) const {
    return absl::InvalidArgumentError(
        at_ >= text_.size() ? fmt::format("the JSON text ends where {} should be", wanted)
                            : fmt::format("byte {} of the JSON text is '{}', where {} should be",
                                          at_ + 1,
                                          text_.substr(at_, 1),
                                          wanted));
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  absl::Status Value(int depth, JsonNode* node) {
    if (depth > kJsonLevelsMax) {
      return absl::InvalidArgumentError("the JSON text nests too deeply");
    }
    if (Take('{')) return Map(depth, node);
    if (Take('[')) return List(depth, node);
    if (Take('"')) {
      node->kind = JsonNode::Kind::kText;
      return Text(&node->text);
    }
    for (const std::string word : {"true", "false", "null"}) {
      if (text_.compare(at_, word.size(), word) != 0) continue;
      at_ += word.size();
      if (word == "null") return absl::OkStatus();
      node->kind = JsonNode::Kind::kBoolean;
      node->text = word;
      return absl::OkStatus();
    }
    return Number(node);
  }

  absl::Status Map(int depth, JsonNode* node) {
    node->kind = JsonNode::Kind::kMap;
    if (Take('}')) return absl::OkStatus();
    do {
      if (!Take('"')) return Wrong("a name in \"quotes\"");
      POTOK_RETURN_IF_ERROR(Text(&node->keys.emplace_back()));
      if (!Take(':')) return Wrong("':'");
      POTOK_RETURN_IF_ERROR(Value(depth + 1, &node->items.emplace_back()));
    } while (Take(','));
    return Take('}') ? absl::OkStatus() : Wrong("',' or '}'");
  }

  absl::Status List(int depth, JsonNode* node) {
    node->kind = JsonNode::Kind::kList;
    if (Take(']')) return absl::OkStatus();
    do {
      POTOK_RETURN_IF_ERROR(Value(depth + 1, &node->items.emplace_back()));
    } while (Take(','));
    return Take(']') ? absl::OkStatus() : Wrong("',' or ']'");
  }

  absl::Status Number(JsonNode* node) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    // A number that begins with 0 has no further digit before its point (RFC 8259, 6).
    if (at_ < text_.size() && text_[at_] == '0') {
      ++at_;
      if (at_ < text_.size() && IsDigitChar(text_[at_])) return Wrong("the end of the number 0");
    } else if (!Digits()) {
      return Wrong("a value");
    }
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!Digits()) return Wrong("a digit");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
      if (!Digits()) return Wrong("a digit");
    }
    node->kind = JsonNode::Kind::kNumber;
    node->text = text_.substr(begin, at_ - begin);
    return absl::OkStatus();
  }
  bool Digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && IsDigitChar(text_[at_])) ++at_;
    return at_ > begin;
  }

  // After the opening quote.
  absl::Status Text(std::string* text) {
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Wrong("a text without line ends");
      ++at_;
      if (c != '\\') {
        text->push_back(c);
        continue;
      }
      POTOK_RETURN_IF_ERROR(Escape(text));
    }
    if (at_ >= text_.size()) return Wrong("'\"'");
    ++at_;
    return absl::OkStatus();
  }

  absl::Status Escape(std::string* text) {
    const std::string names = "\"\\/bfnrt";
    const std::string meant = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) return Wrong("an escape");
    const std::size_t known = names.find(text_[at_]);
    if (known != std::string::npos) {
      text->push_back(meant[known]);
      ++at_;
      return absl::OkStatus();
    }
    std::uint32_t code = 0;
    if (!Unit(&code)) return Wrong("an escape");
    if (code >= 0xD800 && code < 0xDC00) {  // the first half of a pair (RFC 8259, 7)
      std::uint32_t low = 0;
      if (at_ >= text_.size() || text_[at_] != '\\') return Wrong("the second half of a character");
      ++at_;
      if (!Unit(&low) || low < 0xDC00 || low > 0xDFFF) {
        return Wrong("the second half of a character");
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return Wrong("a character");
    }
    AppendUtf8(code, text);
    return absl::OkStatus();
  }
  bool Unit(std::uint32_t* code) {
    if (at_ + 5 > text_.size() || text_[at_] != 'u') return false;
    for (std::size_t i = at_ + 1; i < at_ + 5; ++i) {
      const auto c = static_cast<unsigned char>(text_[i]);
      if (std::isxdigit(c) == 0) return false;
      *code = *code * 16 + static_cast<std::uint32_t>(
                               std::isdigit(c) != 0 ? c - '0' : std::tolower(c) - 'a' + 10);
    }
    at_ += 5;
    return true;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

std::string QuotedText(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      json.push_back(c);
    }
  }
  return json + "\"";
}

}  // namespace

absl::StatusOr<JsonNode> ParseJson(const std::string& text) {
  return JsonReader(text).Run();
}

std::string CompactJson(const JsonNode& node) {
  std::string json;
  switch (node.kind) {
    case JsonNode::Kind::kNull:
      return "null";
    case JsonNode::Kind::kBoolean:
    case JsonNode::Kind::kNumber:
      return node.text;
    case JsonNode::Kind::kText:
      return QuotedText(node.text);
    case JsonNode::Kind::kList:
      for (const JsonNode& item : node.items) json += (json.empty() ? "" : ",") + CompactJson(item);
      return "[" + json + "]";
    case JsonNode::Kind::kMap:
      for (std::size_t i = 0; i < node.keys.size(); ++i) {
        json +=
            (json.empty() ? "" : ",") + QuotedText(node.keys[i]) + ":" + CompactJson(node.items[i]);
      }
      return "{" + json + "}";
  }
  return json;
}

}  // namespace potok
