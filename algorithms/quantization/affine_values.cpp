#include "algorithms/quantization/affine_values.h"

#include "algorithms/kernels/bitpack.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

std::size_t row_bytes(int cols, int bits) {
  return kernels::packed_bytes(static_cast<std::size_t>(cols), bits);
}

class AffineValues final : public StoredValues {
 public:
  AffineValues(const AffineFormat& format, int rows, int cols, std::vector<std::uint8_t> packed,
               ScaleArray scales, ScaleArray zeros)
      : format_(format),
        rows_(rows),
        cols_(cols),
        packed_(std::move(packed)),
        scales_(std::move(scales)),
        zeros_(std::move(zeros)) {}

  std::string_view format() const override { return "affine"; }
  Bytes bytes() const override {
    return Bytes(static_cast<std::int64_t>(packed_.size() + scales_.bytes() + zeros_.bytes()));
  }
  Bytes scale_bytes() const override { return format_.scale_bytes(rows_, cols_); }

  void to_dense(std::span<float> out) const override {
    const auto cols = static_cast<std::size_t>(cols_);
    SKIFF_CHECK(out.size() == static_cast<std::size_t>(rows_) * cols, "another size");
    const std::size_t step = row_bytes(cols_, format_.bits);
    std::vector<std::uint8_t> codes(cols);
    for (int r = 0; r < rows_; ++r) {
      const auto row = static_cast<std::size_t>(r);
      kernels::unpack_bits(codes, std::span(packed_).subspan(row * step, step), format_.bits);
      decode_row(r, codes, out.subspan(row * cols, cols));
    }
  }

  std::vector<StoredArray> arrays() const override {
    std::vector<StoredArray> all{stored_array<std::uint8_t>("codes", "U8", packed_),
                                 scales_.stored("scales")};
    if (format_.zeros) all.push_back(zeros_.stored("zeros"));
    return all;
  }
  Node parameters() const override {
    return map_of({{"bits", std::to_string(format_.bits)}, {"group", print_value(format_.group)}});
  }

 private:
  void decode_row(int r, std::span<const std::uint8_t> codes, std::span<float> out) const {
    const int step = format_.group.inputs > 0 ? format_.group.inputs : cols_;
    for (int first = 0; first < cols_; first += step) {
      const std::size_t g = format_.group.index(r, first, cols_);
      const float scale = scales_.values[g];
      const float zero = format_.zeros ? zeros_.values[g] : static_cast<float>(format_.middle());
      const auto end = static_cast<std::size_t>(std::min(cols_, first + step));
      for (auto c = static_cast<std::size_t>(first); c < end; ++c) {
        out[c] = affine_value(codes[c], scale, zero);
      }
    }
  }

  AffineFormat format_;
  int rows_, cols_;
  std::vector<std::uint8_t> packed_;
  ScaleArray scales_, zeros_;
};

StoredValuesPtr make_affine(const StoredParts& parts) {
  AffineFormat format;
  format.bits = static_cast<int>(parts.number("bits", 1, 8));
  const std::string group = parts.word("group");
  Reader reader;
  if (!convert(Node::scalar(group), format.group, {}, reader)) {
    throw std::invalid_argument("group: \"" + group + "\" is none");
  }
  format.zeros = parts.find("zeros") != nullptr;
  const std::size_t groups = format.group.count(parts.rows, parts.cols);
  const std::size_t packed =
      static_cast<std::size_t>(parts.rows) * row_bytes(parts.cols, format.bits);
  ScaleArray scales = ScaleArray::read(parts, "scales", groups), zeros;
  format.scales = zeros.type = scales.type;
  if (format.zeros) zeros = ScaleArray::read(parts, "zeros", groups);
  return std::make_shared<const AffineValues>(format, parts.rows, parts.cols,
                                              parts.array<std::uint8_t>("codes", "U8", packed),
                                              std::move(scales), std::move(zeros));
}

[[maybe_unused]] const bool registered = register_stored_format("affine", make_affine);

}  // namespace

Bytes AffineFormat::bytes(int rows, int cols) const {
  const std::size_t codes = static_cast<std::size_t>(rows) * row_bytes(cols, bits);
  return Bytes(static_cast<std::int64_t>(codes)) + scale_bytes(rows, cols);
}

Bytes AffineFormat::scale_bytes(int rows, int cols) const {
  const std::size_t each = ScaleArray::bytes_of(group.count(rows, cols), scales);
  return Bytes(static_cast<std::int64_t>((zeros ? 2 : 1) * each));
}

StoredValuesPtr affine_values(const AffineFormat& format, int rows, int cols,
                              const AffineCodes& codes) {
  const std::size_t groups = format.group.count(rows, cols);
  SKIFF_CHECK(codes.scales.size() == groups && codes.zeros.size() == (format.zeros ? groups : 0),
              "scales for other groups");
  const std::size_t step = row_bytes(cols, format.bits);
  const auto width = static_cast<std::size_t>(cols);
  std::vector<std::uint8_t> packed(static_cast<std::size_t>(rows) * step);
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
    kernels::pack_bits(std::span(packed).subspan(r * step, step),
                       std::span(codes.codes).subspan(r * width, width), format.bits);
  }
  return std::make_shared<const AffineValues>(format, rows, cols, std::move(packed),
                                              ScaleArray{codes.scales, format.scales},
                                              ScaleArray{codes.zeros, format.scales});
}

}  // namespace skiff
