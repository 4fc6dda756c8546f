// Values on their way to PostgreSQL and back, in its binary formats (PostgreSQL sources,
// src/backend/utils/adt/*send and *recv functions): big-endian integers, raw bytes, one-dimensional
// arrays without nulls. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct pg_result;

namespace potok::server {

// The parameters of a statement, in order. The statement's text must cast each to its type.
class PgParams {
 public:
  PgParams& Int16(int value);           // smallint
  PgParams& Int32(std::int64_t value);  // integer; at most 2^31 - 1
  PgParams& Int64(std::int64_t value);  // bigint
  PgParams& Bytes(std::string value);   // bytea; text if it is UTF-8 without zeros (see AsText)
  PgParams& Null();
  PgParams& Int16s(const std::vector<int>& values);
  PgParams& Int32s(const std::vector<std::int64_t>& values);
  PgParams& Int64s(const std::vector<std::int64_t>& values);
  PgParams& Double(double value);  // double precision
  PgParams& Doubles(const std::vector<double>& values);
  PgParams& ByteStrings(const std::vector<std::string>& values);  // bytea[]
  PgParams& Texts(const std::vector<std::string>& values);        // text[]

  // For PQexecParams.
  int count() const { return static_cast<int>(values_.size()); }
  std::vector<const char*> pointers() const;
  std::vector<int> lengths() const;

 private:
  std::vector<std::string> values_;
  std::vector<bool> null_;
};

// Rows for a COPY ... FROM STDIN (FORMAT binary). Each row's cells in order, after its BeginRow.
class PgRows {
 public:
  PgRows();
  void BeginRow(int columns);
  PgRows& Int16(int value);                 // smallint
  PgRows& Int32(std::int64_t value);        // integer; at most 2^31 - 1
  PgRows& Int64(std::int64_t value);        // bigint
  PgRows& Bytes(const std::string& value);  // bytea; text if it is UTF-8 without zeros

  // Without the trailer that ends them.
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// The rows of an answer. Reading a cell with another type than the column's, or beyond the rows, is
// a bug and aborts.
class PgResult {
 public:
  explicit PgResult(pg_result* raw);

  int rows() const;
  // Rows that an INSERT, UPDATE or DELETE touched.
  std::int64_t affected() const;
  bool IsNull(int row, int column) const;
  std::int64_t Int(int row, int column) const;  // smallint, integer, bigint
  double Double(int row, int column) const;     // double precision
  bool Bool(int row, int column) const;
  std::string Bytes(int row, int column) const;  // bytea, text

  // For libpq; owned by this. Null where libpq had no memory.
  pg_result* raw() const { return raw_.get(); }

 private:
  std::shared_ptr<pg_result> raw_;
};

// `text` as PostgreSQL accepts it in an indexed column of type text: at most 500 bytes, what is not
// UTF-8 and zeros replaced by '?'. For look-up only: the truth is kept as bytes.
std::string AsText(const std::string& text);

// What `make` has of each row, in order: make(rows, row).
template <class Make>
auto FromRows(const PgResult& rows, const Make& make) {
  std::vector<decltype(make(rows, 0))> made;
  made.reserve(static_cast<std::size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) made.push_back(make(rows, row));
  return made;
}

}  // namespace potok::server
