#include "algorithms/quantization/higgs_values.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>

#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/half.h"
#include "algorithms/kernels/radixpack.h"
#include "algorithms/kernels/rotated_group.h"
#include "sim/core/error.h"
#include "sim/core/parallel.h"

namespace skiff {
namespace {

bool is_power(int n) { return std::has_single_bit(static_cast<unsigned>(n)); }
int bits_of(int points) { return std::bit_width(static_cast<unsigned>(points)) - 1; }

std::size_t row_bytes(const HiggsFormat& format, int cols) {
  const std::size_t codes = format.codes_per_row(cols);
  const int points = format.grid->points;
  return is_power(points) ? kernels::packed_bytes(codes, bits_of(points))
                          : kernels::radix_bytes(codes, points);
}

std::vector<float> signs_of(const HiggsFormat& format, int cols, std::int64_t seed) {
  std::vector<float> signs(static_cast<std::size_t>(format.groups(cols) * format.group), 1.0F);
  if (format.random_signs) {
    kernels::random_signs(signs, Stream(static_cast<std::uint64_t>(seed), "higgs.signs"));
  }
  return signs;
}

class HiggsValues final : public StoredValues {
 public:
  HiggsValues(const HiggsFormat& format, int rows, int cols, std::int64_t seed)
      : format_(format),
        rows_(rows),
        cols_(cols),
        seed_(seed),
        step_(row_bytes(format, cols)),
        packed_(static_cast<std::size_t>(rows) * step_) {
    scales_.values.resize(static_cast<std::size_t>(rows) *
                          static_cast<std::size_t>(format.groups(cols)));
  }

  std::string_view format() const override { return "higgs"; }
  Bytes bytes() const override { return format_.bytes(rows_, cols_); }
  Bytes scale_bytes() const override { return format_.scale_bytes(rows_, cols_); }

  void encode(std::span<const float> values, bool unbiased) {
    const std::vector<float> signs = signs_of(format_, cols_, seed_);
    const kernels::PointGrid& grid = kernels::gaussian_grid(*format_.grid);
    parallel_for(
        static_cast<std::size_t>(rows_),
        [&](std::size_t r) {
          const auto width = static_cast<std::size_t>(cols_);
          encode_row(r, values.subspan(r * width, width), signs, grid, unbiased);
        },
        8);
  }

  void to_dense(std::span<float> out) const override {
    SKIFF_CHECK(out.size() == static_cast<std::size_t>(rows_) * static_cast<std::size_t>(cols_),
                "a tensor decoded into another size");
    const std::vector<float> signs = signs_of(format_, cols_, seed_);
    const kernels::PointGrid& grid = kernels::gaussian_grid(*format_.grid);
    const auto width = static_cast<std::size_t>(cols_);
    std::vector<float> row(signs.size());
    std::vector<std::uint16_t> codes(format_.codes_per_row(cols_));
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows_); ++r) {
      decode_row(r, codes, row, grid);
      for (std::size_t c = 0; c < width; ++c) out[r * width + c] = row[c] * signs[c];
    }
  }

  std::vector<StoredArray> arrays() const override {
    return {stored_array<std::uint8_t>("codes", "U8", packed_), scales_.stored("scales")};
  }
  Node parameters() const override {
    return map_of({{"dimension", std::to_string(format_.grid->dimension)},
                   {"points", std::to_string(format_.grid->points)},
                   {"group", std::to_string(format_.group)},
                   {"signs", format_.random_signs ? "random" : "none"},
                   {"seed", std::to_string(seed_)}});
  }
  void read(const StoredParts& parts) {
    packed_ = parts.array<std::uint8_t>("codes", "U8", packed_.size());
    scales_ = ScaleArray::read(parts, "scales", scales_.values.size());
  }

 private:
  std::size_t groups() const { return static_cast<std::size_t>(format_.groups(cols_)); }
  std::size_t group() const { return static_cast<std::size_t>(format_.group); }
  std::size_t codes_of_group() const {
    return group() / static_cast<std::size_t>(format_.grid->dimension);
  }

  void encode_row(std::size_t r, std::span<const float> values, std::span<const float> signs,
                  const kernels::PointGrid& grid, bool unbiased) {
    std::vector<float> work(signs.size());
    std::vector<std::uint16_t> codes(format_.codes_per_row(cols_));
    for (std::size_t c = 0; c < values.size(); ++c) work[c] = values[c] * signs[c];
    for (std::size_t k = 0; k < groups(); ++k) {
      const float scale = kernels::encode_rotated(
          grid, std::span(work).subspan(k * group(), group()),
          std::span(codes).subspan(k * codes_of_group(), codes_of_group()), unbiased);
      if (!std::isfinite(scale)) {
        throw std::invalid_argument("a group's scale is beyond what fp16 can hold (65504)");
      }
      scales_.values[r * groups() + k] = scale;
    }
    const std::span<std::uint8_t> packed = std::span(packed_).subspan(r * step_, step_);
    if (is_power(format_.grid->points)) {
      kernels::pack_bits(packed, codes, bits_of(format_.grid->points));
    } else {
      kernels::pack_radix(packed, codes, format_.grid->points);
    }
  }

  void decode_row(std::size_t r, std::span<std::uint16_t> codes, std::span<float> row,
                  const kernels::PointGrid& grid) const {
    const std::span<const std::uint8_t> packed = std::span(packed_).subspan(r * step_, step_);
    if (is_power(format_.grid->points)) {
      kernels::unpack_bits(codes, packed, bits_of(format_.grid->points));
    } else {
      kernels::unpack_radix(codes, packed, format_.grid->points);
    }
    for (std::size_t k = 0; k < groups(); ++k) {
      kernels::decode_rotated(grid, codes.subspan(k * codes_of_group(), codes_of_group()),
                              scales_.values[r * groups() + k], row.subspan(k * group(), group()));
    }
  }

  HiggsFormat format_;
  int rows_, cols_;
  std::int64_t seed_;
  std::size_t step_;  // bytes of a row's codes
  std::vector<std::uint8_t> packed_;
  ScaleArray scales_;
};

StoredValuesPtr make_higgs(const StoredParts& parts) {
  HiggsFormat format;
  const auto dimension = static_cast<int>(parts.number("dimension", 1, 4));
  const auto points = static_cast<int>(parts.number("points", 2, 65536));
  format.grid = kernels::find_gaussian_grid(dimension, points);
  if (format.grid == nullptr) {
    throw std::invalid_argument(
        fmt::format("no grid of {} points in {} dimensions", points, dimension));
  }
  format.group = static_cast<int>(parts.number("group", 4, 1 << 16));
  if (!is_power(format.group)) throw std::invalid_argument("group: not a power of two");
  format.random_signs = parts.word("signs") == "random";
  const std::int64_t seed = parts.number("seed", 0, std::numeric_limits<std::int64_t>::max());
  auto values = std::make_shared<HiggsValues>(format, parts.rows, parts.cols, seed);
  values->read(parts);
  return values;
}

[[maybe_unused]] const bool registered = register_stored_format("higgs", make_higgs);

}  // namespace

Bytes HiggsFormat::bytes(int rows, int cols) const {
  const std::size_t codes = static_cast<std::size_t>(rows) * row_bytes(*this, cols);
  return Bytes(static_cast<std::int64_t>(codes)) + scale_bytes(rows, cols);
}

Bytes HiggsFormat::scale_bytes(int rows, int cols) const {
  return Bytes(2 * static_cast<std::int64_t>(rows) * groups(cols));
}

int best_group(int cols, double bits) {
  int best = 32;
  double least = std::numeric_limits<double>::infinity();
  for (int g = 32; g <= 1024; g *= 2) {
    const int groups = (cols + g - 1) / g;  // the last may be a part
    const double stored = groups * (g * bits + 16);
    if (stored <= least) {
      least = stored;
      best = g;
    }
  }
  return best;
}

StoredValuesPtr higgs_values(const HiggsFormat& format, int rows, int cols,
                             std::span<const float> values, std::int64_t seed, bool unbiased) {
  auto stored = std::make_shared<HiggsValues>(format, rows, cols, seed);
  stored->encode(values, unbiased);
  return stored;
}

}  // namespace skiff
