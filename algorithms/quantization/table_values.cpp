#include "algorithms/quantization/table_values.h"

#include <array>
#include <cmath>

#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/reduce.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

std::size_t row_bytes(const TableFormat& format, int cols) {
  return kernels::packed_bytes(static_cast<std::size_t>(format.codes_per_row(cols)), format.bits);
}

std::size_t blocks_of(std::size_t scales) {
  return (scales + DoubleScales::kBlock - 1) / DoubleScales::kBlock;
}

class TableValues final : public StoredValues {
 public:
  TableValues(const TableFormat& format, int rows, int cols, std::vector<std::uint8_t> packed,
              std::vector<float> table, ScaleArray scales, DoubleScales doubled)
      : format_(format),
        rows_(rows),
        cols_(cols),
        packed_(std::move(packed)),
        table_(std::move(table)),
        scales_(std::move(scales)),
        doubled_(std::move(doubled)) {}

  std::string_view format() const override { return "table"; }
  Bytes bytes() const override { return format_.bytes(rows_, cols_); }
  Bytes scale_bytes() const override { return format_.scale_bytes(rows_, cols_); }

  void to_dense(std::span<float> out) const override {
    const auto cols = static_cast<std::size_t>(cols_);
    SKIFF_CHECK(out.size() == static_cast<std::size_t>(rows_) * cols, "another size");
    const std::span<const float> table = format_.nf4 ? nf4_levels() : std::span(table_);
    const std::vector<float> scales = format_.double_scales ? doubled_.values() : scales_.values;
    const std::size_t step = row_bytes(format_, cols_);
    const auto p = static_cast<std::size_t>(format_.dimension);
    std::vector<std::uint16_t> codes(static_cast<std::size_t>(format_.codes_per_row(cols_)));
    for (int r = 0; r < rows_; ++r) {
      const auto row = static_cast<std::size_t>(r);
      kernels::unpack_bits(codes, std::span(packed_).subspan(row * step, step), format_.bits);
      for (int c = 0; c < cols_; ++c) {
        const auto i = static_cast<std::size_t>(c);
        out[row * cols + i] =
            table[codes[i / p] * p + i % p] * scales[format_.group.index(r, c, cols_)];
      }
    }
  }

  TableParts parts() const {
    TableParts all{format_, rows_, cols_, {{}, scales_.values, table_}};
    const auto width = static_cast<std::size_t>(format_.codes_per_row(cols_));
    const std::size_t step = row_bytes(format_, cols_);
    all.codes.codes.resize(static_cast<std::size_t>(rows_) * width);
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows_); ++r) {
      kernels::unpack_bits(std::span(all.codes.codes).subspan(r * width, width),
                           std::span(packed_).subspan(r * step, step), format_.bits);
    }
    return all;
  }
  bool has_table() const { return !format_.nf4 && !format_.double_scales; }

  std::vector<StoredArray> arrays() const override {
    std::vector<StoredArray> all{stored_array<std::uint8_t>("codes", "U8", packed_)};
    if (!format_.nf4) all.push_back(ScaleArray{table_}.stored("table"));
    if (!format_.double_scales) {
      all.push_back(scales_.stored("scales"));
      return all;
    }
    all.push_back(stored_array<std::int8_t>("scale_codes", "I8", doubled_.codes));
    all.push_back(stored_array<float>("block_scales", "F32", doubled_.block_scales));
    all.push_back(stored_array<float>("mean_scale", "F32", {&doubled_.mean, 1}));
    return all;
  }
  Node parameters() const override {
    return map_of({{"bits", std::to_string(format_.bits)},
                   {"dimension", std::to_string(format_.dimension)},
                   {"group", print_value(format_.group)},
                   {"table", format_.nf4 ? "nf4" : "stored"}});
  }

 private:
  TableFormat format_;
  int rows_, cols_;
  std::vector<std::uint8_t> packed_;
  std::vector<float> table_;
  ScaleArray scales_;
  DoubleScales doubled_;
};

StoredValuesPtr make_table(const StoredParts& parts) {
  TableFormat format;
  format.bits = static_cast<int>(parts.number("bits", 1, 16));
  format.dimension = static_cast<int>(parts.number("dimension", 1, 16));
  format.nf4 = parts.word("table") == "nf4";
  format.double_scales = parts.find("scale_codes") != nullptr;
  if (format.nf4 && (format.bits != 4 || format.dimension != 1)) {
    throw std::invalid_argument("nf4 has 16 levels");
  }
  Reader reader;
  if (!convert(Node::scalar(parts.word("group")), format.group, Rules{}, reader)) {
    throw std::invalid_argument("group: \"" + parts.word("group") + "\" is none");
  }
  const std::size_t groups = format.group.count(parts.rows, parts.cols);
  ScaleArray table, scales;
  DoubleScales doubled;
  if (!format.nf4) {
    table = ScaleArray::read(parts, "table",
                             format.entries() * static_cast<std::size_t>(format.dimension));
  }
  if (format.double_scales) {
    doubled.codes = parts.array<std::int8_t>("scale_codes", "I8", groups);
    doubled.block_scales = parts.array<float>("block_scales", "F32", blocks_of(groups));
    doubled.mean = parts.array<float>("mean_scale", "F32", 1).front();
  } else {
    scales = ScaleArray::read(parts, "scales", groups);
  }
  const std::size_t packed = static_cast<std::size_t>(parts.rows) * row_bytes(format, parts.cols);
  return std::make_shared<const TableValues>(
      format, parts.rows, parts.cols, parts.array<std::uint8_t>("codes", "U8", packed),
      std::move(table.values), std::move(scales), std::move(doubled));
}

[[maybe_unused]] const bool registered = register_stored_format("table", make_table);

}  // namespace

std::span<const float> nf4_levels() {
  static constexpr std::array<float, 16> levels{
      -1.0F,
      -0.6961928009986877F,
      -0.5250730514526367F,
      -0.39491748809814453F,
      -0.28444138169288635F,
      -0.18477343022823334F,
      -0.09105003625154495F,
      0.0F,
      0.07958029955625534F,
      0.16093020141124725F,
      0.24611230194568634F,
      0.33791524171829224F,
      0.44070982933044434F,
      0.5626170039176941F,
      0.7229568362236023F,
      1.0F,
  };
  return levels;
}

Bytes TableFormat::bytes(int rows, int cols) const {
  const std::size_t codes = static_cast<std::size_t>(rows) * row_bytes(*this, cols);
  return Bytes(static_cast<std::int64_t>(codes)) + scale_bytes(rows, cols);
}

Bytes TableFormat::scale_bytes(int rows, int cols) const {
  const std::size_t groups = group.count(rows, cols);
  std::size_t bytes = 0;
  if (!nf4) bytes += 2 * entries() * static_cast<std::size_t>(dimension);
  bytes += double_scales ? groups + sizeof(float) * (blocks_of(groups) + 1) : 2 * groups;
  return Bytes(static_cast<std::int64_t>(bytes));
}

DoubleScales DoubleScales::of(std::span<const float> scales) {
  DoubleScales out;
  if (scales.empty()) return out;
  out.mean = static_cast<float>(kernels::sum_double(scales) / static_cast<double>(scales.size()));
  for (std::size_t first = 0; first < scales.size(); first += kBlock) {
    const std::span<const float> block =
        scales.subspan(first, std::min(kBlock, scales.size() - first));
    float most = 0;
    for (const float s : block) most = std::max(most, std::abs(s - out.mean));
    const float step = most / 127;
    out.block_scales.push_back(step);
    for (const float s : block) {
      const float code = step > 0 ? std::nearbyint((s - out.mean) / step) : 0.0F;
      out.codes.push_back(static_cast<std::int8_t>(std::clamp(code, -127.0F, 127.0F)));
    }
  }
  return out;
}

std::vector<float> DoubleScales::values() const {
  std::vector<float> all(codes.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = mean + block_scales[i / kBlock] * static_cast<float>(codes[i]);
  }
  return all;
}

std::optional<TableParts> table_parts(const StoredValues& values) {
  const auto* table = dynamic_cast<const TableValues*>(&values);
  if (table == nullptr || !table->has_table()) return {};
  return table->parts();
}

StoredValuesPtr table_values(const TableFormat& format, int rows, int cols,
                             const TableCodes& codes) {
  const std::size_t step = row_bytes(format, cols);
  const auto per_row = static_cast<std::size_t>(format.codes_per_row(cols));
  SKIFF_CHECK(codes.codes.size() == static_cast<std::size_t>(rows) * per_row, "codes of others");
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(rows) * step);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    kernels::pack_bits(std::span(packed).subspan(r * step, step),
                       std::span(codes.codes).subspan(r * per_row, per_row), format.bits);
  }
  ScaleArray scales;
  DoubleScales doubled;
  if (format.double_scales) {
    doubled = DoubleScales::of(codes.scales);
  } else {
    scales.values = codes.scales;
  }
  return std::make_shared<const TableValues>(format, rows, cols, std::move(packed), codes.table,
                                             std::move(scales), std::move(doubled));
}

}  // namespace skiff
