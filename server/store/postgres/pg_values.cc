#include "server/store/postgres/pg_values.h"

#include <endian.h>
#include <libpq-fe.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/base/check.h"

namespace potok::server {

namespace {

// Type numbers of elements (pg_type.dat).
constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kInt8Oid = 20;
constexpr std::uint32_t kInt2Oid = 21;
constexpr std::uint32_t kInt4Oid = 23;
constexpr std::uint32_t kTextOid = 25;
constexpr std::uint32_t kFloat8Oid = 701;

void Append16(std::uint16_t value, std::string* out) {
  value = htobe16(value);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}
void Append32(std::uint32_t value, std::string* out) {
  value = htobe32(value);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}
void Append64(std::uint64_t value, std::string* out) {
  value = htobe64(value);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// array_recv: dimensions, has-null flag, element type, then for each dimension size and lower
// bound, then each element behind its length.
std::string ArrayHeader(std::uint32_t element_oid, std::size_t size, std::size_t bytes) {
  std::string out;
  out.reserve(20 + bytes);
  Append32(size == 0 ? 0 : 1, &out);
  Append32(0, &out);
  Append32(element_oid, &out);
  if (size == 0) return out;
  Append32(static_cast<std::uint32_t>(size), &out);
  Append32(1, &out);
  return out;
}

std::string ArrayOf(std::uint32_t element_oid, const std::vector<std::string>& values) {
  std::size_t bytes = 0;
  for (const std::string& value : values) bytes += 4 + value.size();
  std::string out = ArrayHeader(element_oid, values.size(), bytes);
  for (const std::string& value : values) {
    Append32(static_cast<std::uint32_t>(value.size()), &out);
    out += value;
  }
  return out;
}

// Length of the UTF-8 character at `at`, 0 if there is none (RFC 3629; PostgreSQL accepts no
// surrogates, no overlong forms and no zeros either).
std::size_t CharacterAt(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const unsigned first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

}  // namespace

PgParams& PgParams::Bytes(std::string value) {
  values_.push_back(std::move(value));
  null_.push_back(false);
  return *this;
}

PgParams& PgParams::Null() {
  values_.emplace_back();
  null_.push_back(true);
  return *this;
}

PgParams& PgParams::Int16(int value) {
  std::string out;
  Append16(static_cast<std::uint16_t>(value), &out);
  return Bytes(std::move(out));
}

PgParams& PgParams::Int32(std::int64_t value) {
  std::string out;
  Append32(static_cast<std::uint32_t>(value), &out);
  return Bytes(std::move(out));
}

PgParams& PgParams::Int64(std::int64_t value) {
  std::string out;
  Append64(static_cast<std::uint64_t>(value), &out);
  return Bytes(std::move(out));
}

PgParams& PgParams::Int16s(const std::vector<int>& values) {
  std::string out = ArrayHeader(kInt2Oid, values.size(), values.size() * 6);
  for (const int value : values) {
    Append32(2, &out);
    Append16(static_cast<std::uint16_t>(value), &out);
  }
  return Bytes(std::move(out));
}

PgParams& PgParams::Int32s(const std::vector<std::int64_t>& values) {
  std::string out = ArrayHeader(kInt4Oid, values.size(), values.size() * 8);
  for (const std::int64_t value : values) {
    Append32(4, &out);
    Append32(static_cast<std::uint32_t>(value), &out);
  }
  return Bytes(std::move(out));
}

PgParams& PgParams::Int64s(const std::vector<std::int64_t>& values) {
  std::string out = ArrayHeader(kInt8Oid, values.size(), values.size() * 12);
  for (const std::int64_t value : values) {
    Append32(8, &out);
    Append64(static_cast<std::uint64_t>(value), &out);
  }
  return Bytes(std::move(out));
}

PgParams& PgParams::Double(double value) {
  return Int64(std::bit_cast<std::int64_t>(value));
}

PgParams& PgParams::Doubles(const std::vector<double>& values) {
  std::string out = ArrayHeader(kFloat8Oid, values.size(), values.size() * 12);
  for (const double value : values) {
    Append32(8, &out);
    Append64(std::bit_cast<std::uint64_t>(value), &out);
  }
  return Bytes(std::move(out));
}

PgParams& PgParams::ByteStrings(const std::vector<std::string>& values) {
  return Bytes(ArrayOf(kByteaOid, values));
}

PgParams& PgParams::Texts(const std::vector<std::string>& values) {
  return Bytes(ArrayOf(kTextOid, values));
}

std::vector<const char*> PgParams::pointers() const {
  std::vector<const char*> pointers;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    pointers.push_back(null_[i] ? nullptr : values_[i].data());
  }
  return pointers;
}

std::vector<int> PgParams::lengths() const {
  std::vector<int> lengths;
  for (const std::string& value : values_) lengths.push_back(static_cast<int>(value.size()));
  return lengths;
}

// PostgreSQL documentation, COPY, "Binary Format": signature, flags, length of the extension.
PgRows::PgRows() : bytes_("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19) {}

void PgRows::BeginRow(int columns) {
  Append16(static_cast<std::uint16_t>(columns), &bytes_);
}

PgRows& PgRows::Int16(int value) {
  Append32(2, &bytes_);
  Append16(static_cast<std::uint16_t>(value), &bytes_);
  return *this;
}

PgRows& PgRows::Int32(std::int64_t value) {
  Append32(4, &bytes_);
  Append32(static_cast<std::uint32_t>(value), &bytes_);
  return *this;
}

PgRows& PgRows::Int64(std::int64_t value) {
  Append32(8, &bytes_);
  Append64(static_cast<std::uint64_t>(value), &bytes_);
  return *this;
}

PgRows& PgRows::Bytes(const std::string& value) {
  Append32(static_cast<std::uint32_t>(value.size()), &bytes_);
  bytes_ += value;
  return *this;
}

PgResult::PgResult(pg_result* raw) : raw_(raw, PQclear) {}

int PgResult::rows() const {
  return PQntuples(raw_.get());
}

std::int64_t PgResult::affected() const {
  return std::strtoll(PQcmdTuples(raw_.get()), nullptr, 10);
}

bool PgResult::IsNull(int row, int column) const {
  return PQgetisnull(raw_.get(), row, column) != 0;
}

std::int64_t PgResult::Int(int row, int column) const {
  POTOK_CHECK(row < rows() && !IsNull(row, column));
  const char* data = PQgetvalue(raw_.get(), row, column);
  switch (PQgetlength(raw_.get(), row, column)) {
    case 2: {
      std::uint16_t value = 0;
      std::memcpy(&value, data, sizeof value);
      return static_cast<std::int16_t>(be16toh(value));
    }
    case 4: {
      std::uint32_t value = 0;
      std::memcpy(&value, data, sizeof value);
      return static_cast<std::int32_t>(be32toh(value));
    }
    default: {
      POTOK_CHECK(PQgetlength(raw_.get(), row, column) == 8);
      std::uint64_t value = 0;
      std::memcpy(&value, data, sizeof value);
      return static_cast<std::int64_t>(be64toh(value));
    }
  }
}

double PgResult::Double(int row, int column) const {
  return std::bit_cast<double>(Int(row, column));
}

bool PgResult::Bool(int row, int column) const {
  POTOK_CHECK(PQgetlength(raw_.get(), row, column) == 1);
  return *PQgetvalue(raw_.get(), row, column) != 0;
}

std::string PgResult::Bytes(int row, int column) const {
  POTOK_CHECK(row < rows());
  return {PQgetvalue(raw_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(raw_.get(), row, column))};
}

std::string AsText(const std::string& text) {
  constexpr std::size_t kBytesMax = 500;  // a B-tree row holds 2704 (nbtree README)
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = CharacterAt(text, at);
    if (out.size() + length > kBytesMax) break;
    out += length == 0 ? "?" : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return out;
}

}  // namespace potok::server
