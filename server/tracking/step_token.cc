#include "server/tracking/step_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include "absl/strings/escaping.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::size_t kIdCharactersMax = 256;
constexpr std::size_t kFields = 7;

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

template <class Number>
bool ReadNumber(const std::string& text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

// The last field may have anything in it.
std::vector<std::string> FieldsOf(const std::string& text) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (fields.size() + 1 < kFields) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return {};
    fields.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  fields.push_back(text.substr(begin));
  return fields;
}

}  // namespace

std::string MlflowIdOf(const std::string& job_name, const AttemptKey& attempt) {
  const bool is_id = !job_name.empty() && job_name.size() <= kIdCharactersMax &&
                     std::isalnum(static_cast<unsigned char>(job_name[0])) != 0 &&
                     std::ranges::all_of(job_name, IsWordCharacter);
  if (is_id) return job_name;
  const std::string ending = fmt::format("-{}-{}", attempt.run, attempt.index);
  std::string id = "r" + job_name;  // what begins with a '-' is none
  if (!job_name.empty() && std::isalnum(static_cast<unsigned char>(job_name[0])) != 0)
    id = job_name;
  std::ranges::replace_if(
      id, [](char c) { return !IsWordCharacter(c); }, '-');
  return id.substr(0, kIdCharactersMax - ending.size()) + ending;
}

std::string StepTokens::Sign(const std::string& text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  HMAC(EVP_sha256(),
       secret_.data(),
       static_cast<int>(secret_.size()),
       reinterpret_cast<const unsigned char*>(text.data()),
       text.size(),
       mac.data(),
       &size);
  return absl::BytesToHexString(std::string(reinterpret_cast<const char*>(mac.data()), size));
}

std::string StepTokens::TokenOf(const StepClaim& claim) const {
  const std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}",
                                       claim.attempt.run,
                                       claim.attempt.index,
                                       claim.attempt.attempt,
                                       claim.run,
                                       claim.step,
                                       claim.mlflow_id,
                                       claim.experiment);
  return absl::WebSafeBase64Escape(text) + "." + Sign(text);
}

std::optional<StepClaim> StepTokens::Read(const std::string& token) const {
  const std::size_t dot = token.find('.');
  std::string text;
  if (dot == std::string::npos || !absl::WebSafeBase64Unescape(token.substr(0, dot), &text)) {
    return std::nullopt;
  }
  const std::string said = token.substr(dot + 1);
  const std::string signature = Sign(text);
  if (said.size() != signature.size() ||
      CRYPTO_memcmp(said.data(), signature.data(), said.size()) != 0) {
    return std::nullopt;
  }
  std::vector<std::string> fields = FieldsOf(text);
  StepClaim claim;
  if (fields.size() != kFields || !ReadNumber(fields[0], &claim.attempt.run) ||
      !ReadNumber(fields[1], &claim.attempt.index) ||
      !ReadNumber(fields[2], &claim.attempt.attempt)) {
    return std::nullopt;
  }
  claim.run = std::move(fields[3]);
  claim.step = std::move(fields[4]);
  claim.mlflow_id = std::move(fields[5]);
  claim.experiment = std::move(fields[6]);
  return claim;
}

}  // namespace potok::server
