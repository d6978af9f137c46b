#include "sim/record/table.h"

#include <algorithm>
#include <cstring>

#include "sim/core/error.h"
#include "sim/record/join.h"

namespace skiff {

std::size_t size_of(NumberType type) {
  switch (type) {
    case NumberType::kU1:
      return 1;
    case NumberType::kU2:
      return 2;
    case NumberType::kU4:
    case NumberType::kI4:
    case NumberType::kF4:
      return 4;
    case NumberType::kU8:
    case NumberType::kF8:
      return 8;
  }
  return 8;
}

Table::Table(std::string group, std::vector<ColumnSpec> columns, ChunkSink* sink,
             std::string label_dimension, std::vector<std::string> labels,
             std::size_t chunk_entries)
    : group_(std::move(group)),
      columns_(std::move(columns)),
      sink_(sink),
      label_dimension_(std::move(label_dimension)),
      labels_(std::move(labels)),
      width_(std::max<std::size_t>(1, labels_.size())),
      chunk_rows_(std::max<std::size_t>(1, chunk_entries / width_)),
      digests_(columns_.size()) {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    buffers_.emplace_back(chunk_rows_ * width_of(c) * size_of(columns_[c].type));
  }
  for (auto& buffer : buffers_) data_.push_back(buffer.data());
}

void Table::blank(std::size_t row) {
  for (std::size_t c = 1; c < columns_.size(); ++c) {
    const std::size_t size = size_of(columns_[c].type);
    std::byte* line = data_[c] + row * width_ * size;
    std::fill_n(line, width_ * size, std::byte{0});
    if (columns_[c].type == NumberType::kF8) {
      std::fill_n(reinterpret_cast<double*>(line), width_, kNaN);
    }
  }
}

void Table::flush() {
  if (held_ == 0 || sink_ == nullptr) return;
  for (std::size_t c = 0; c < columns_.size(); ++c) {  // no leftovers behind the last row
    auto unused = std::span(buffers_[c]).subspan(held_ * width_of(c) * size_of(columns_[c].type));
    std::fill(unused.begin(), unused.end(), std::byte{0});
  }
  sink_->take(*this, committed_, held_);
}

void Table::commit() {
  flush();
  const auto used = [&](std::size_t c) {
    return std::span<const std::byte>(buffers_[c])
        .first(held_ * width_of(c) * size_of(columns_[c].type));
  };
  std::size_t c = 0;
  for (; c + 1 < columns_.size(); c += 2) {
    Sha256::update_both(digests_[c], used(c), digests_[c + 1], used(c + 1));
  }
  if (c < columns_.size()) digests_[c].update(used(c));
  committed_ += held_;
  held_ = 0;
}

void Table::close() { commit(); }

std::vector<std::string> Table::digests() const {
  SKIFF_CHECK(held_ == 0, "the digests of an open table");
  std::vector<std::string> lines;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::string line = group_ + '/' + columns_[c].name + ' ' + digests_[c].hex();
    if (!columns_[c].words.empty()) line += ' ' + join(columns_[c].words, " ");
    lines.push_back(std::move(line));
  }
  if (two_dimensional()) {
    lines.push_back(group_ + '/' + label_dimension_ + ' ' + sha256_hex(join(labels_, "\n")));
  }
  return lines;
}

}  // namespace skiff
