// One table of run.h5 while it grows: columns of fixed-width numbers, gathered by the chunk.
//
// A row is one entry, or, in a table of two dimensions such as /tiers (round, tier), a line of
// `width` entries. A full chunk goes to the sink and into the columns' digests; then the buffers
// start over. Not thread-safe.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "sim/core/sha256.h"

namespace skiff {

enum class NumberType : std::uint8_t { kU1, kU2, kU4, kU8, kI4, kF4, kF8 };
std::size_t size_of(NumberType type);

struct ColumnSpec {
  std::string name;
  NumberType type = NumberType::kF8;
  std::string units;                    // "s", "B", "J", "1", ...; empty for words and indices
  std::string long_name;                // what it is, in a few words
  std::vector<std::string> words = {};  // of a column of words: what 0, 1, 2, ... mean
};

class Table;

// Where full chunks go.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // Rows [first, first + rows) of the table, whose buffers hold them from their beginning. May be
  // called again for more rows of the same chunk.
  virtual void take(const Table& table, std::size_t first, std::size_t rows) = 0;
};

class Table {
 public:
  static constexpr std::size_t kChunkEntries = 4096;  // of a column

  // `columns[0]` is the coordinate. `labels`: names of the second dimension; empty: there is none.
  Table(std::string group, std::vector<ColumnSpec> columns, ChunkSink* sink,
        std::string label_dimension = {}, std::vector<std::string> labels = {},
        std::size_t chunk_entries = kChunkEntries);

  // Opens a new row and tells its place in the buffers; every column must be set. Hands on a full
  // chunk before. In a table of two dimensions the entries are blank: zero or NaN.
  std::size_t open() {
    if (held_ == chunk_rows_) commit();
    if (two_dimensional()) blank(held_);
    return held_++;
  }
  // Writes one entry of the row that open() gave.
  template <class T>
  void set(std::size_t column, std::size_t row, T value) {
    reinterpret_cast<T*>(data_[column])[row] = value;
  }
  void set(std::size_t column, std::size_t row, double value) {
    // One NaN alone, whatever arithmetic it came from: digests compare bits.
    set<double>(column, row, std::isnan(value) ? kNaN : value);
  }
  // The place of (row, label) in a column of a table of two dimensions.
  std::size_t cell(std::size_t row, std::size_t label) const { return row * width_ + label; }

  // Hands on the rows in the buffers, which stay there.
  void flush();
  // Hands on the last rows. No row may follow.
  void close();

  const std::string& group() const { return group_; }
  const std::vector<ColumnSpec>& columns() const { return columns_; }
  const std::string& label_dimension() const { return label_dimension_; }
  const std::vector<std::string>& labels() const { return labels_; }
  std::size_t width() const { return width_; }
  bool two_dimensional() const { return !labels_.empty(); }
  std::size_t chunk_rows() const { return chunk_rows_; }
  std::uint64_t rows() const { return committed_ + held_; }
  std::uint64_t committed_rows() const { return committed_; }  // that have left the buffers
  // The buffer of a column: width (1 for the coordinate) entries a row.
  std::span<const std::byte> buffer(std::size_t c) const { return buffers_[c]; }
  std::size_t width_of(std::size_t c) const { return c == 0 ? 1 : width_; }

  // "/rounds/energy DIGEST" of each column and of the labels; after close().
  std::vector<std::string> digests() const;

 private:
  static constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  void commit();
  void blank(std::size_t row);

  std::string group_;
  std::vector<ColumnSpec> columns_;
  ChunkSink* sink_;
  std::string label_dimension_;
  std::vector<std::string> labels_;
  std::size_t width_;
  std::size_t chunk_rows_;
  std::vector<std::vector<std::byte>> buffers_;
  std::vector<std::byte*> data_;
  std::vector<Sha256> digests_;
  std::size_t held_ = 0;
  std::uint64_t committed_ = 0;
};

}  // namespace skiff
