// HIGGS as a wire format: groups of an update are rotated by a randomized Hadamard transform and
// rounded to the points of a Gaussian grid.
//
// Malinovskii et al. 2024 (arXiv:2411.17525) for the rotation and the grids; Vargaftik et al. 2022,
// "EDEN" (arXiv:2108.08842) for the scale. kernels/rotated_group.h says what a group goes through.
//   scale unbiased: <What, v> = |v|^2 in each group, so that over the signs, drawn afresh for each
//                   message, What is v on average where the rotated group looks Gaussian. The mean
//                   of M messages of one vector is then off by D / ((1 - D) M) of |v|^2.
//   scale mse:      the least error of one message, D; the mean of M is off by D^2 + D (1 - D) / M:
//                   it shrinks, whatever M is.
// A vector with a handful of values other than 0 is rotated into a handful of levels, not into a
// Gaussian: no bound is stated for all vectors, and unbiased() is false, as methods understand it.
// Differs from the paper: it is for updates, not weights; groups run over the whole vector.
//
// Wire format: 8 bytes, the seed of the signs; int16 e, the exponent of the largest |v|; one fp16
// scale a group, of v 2^-e; the codes, `dimension` values each, as one bit stream. n values take
// G = ceil(n / g) groups of g in 8..1024 (the g with the fewest bytes): 10 + 2 G + ceil(G g b / 8).
// Cost: log2 g + 4 additions a value and the search.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "algorithms/codec.h"
#include "algorithms/communication/wire.h"
#include "algorithms/kernels/bitpack.h"
#include "algorithms/kernels/gaussian_grids.h"
#include "algorithms/kernels/half.h"
#include "algorithms/kernels/rotated_group.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "higgs";
constexpr std::size_t kHeader = sizeof(std::uint64_t) + sizeof(std::int16_t);

struct HiggsCodecParams {
  int bits = 4;
  int dimension = 2;
  std::string scale = "unbiased";
};

const kernels::GaussianGridData* grid_of(const HiggsCodecParams& p) {
  for (int d = p.dimension; d > 1; d /= 2) {
    const auto* grid =
        d * p.bits > 12 ? nullptr : kernels::find_gaussian_grid(d, 1 << (d * p.bits));
    if (grid != nullptr) return grid;
  }
  return kernels::find_gaussian_grid(1, 1 << p.bits);
}

// Where everything stands in a payload of n values.
struct Places {
  std::size_t group = 8, groups = 0, codes = 0, code_bytes = 0;

  Places(std::size_t n, const kernels::GaussianGridData& grid) {
    const auto p = static_cast<std::size_t>(grid.dimension);
    const int bits = std::bit_width(static_cast<unsigned>(grid.points)) - 1;
    const auto size = [&](std::size_t g) {
      const std::size_t count = (n + g - 1) / g;
      return 2 * count + kernels::packed_bytes(count * g / p, bits);
    };
    for (std::size_t g = 16; g <= 1024; g *= 2) {
      if (size(g) <= size(group)) group = g;
    }
    groups = (n + group - 1) / group;
    codes = groups * group / p;
    code_bytes = kernels::packed_bytes(codes, bits);
  }
  std::size_t first_code() const { return kHeader + 2 * groups; }
  std::size_t bytes() const { return first_code() + code_bytes; }
};

}  // namespace

template <>
Schema<HiggsCodecParams> schema() {
  Schema<HiggsCodecParams> s;
  s.field("bits", &HiggsCodecParams::bits, "bits of a value")
      .required("by higgs; skiff has no default that changes results")
      .in(1, 8);
  s.field("dimension", &HiggsCodecParams::dimension,
          "values that share a code, at most: 1, 2 or 4; beyond 4 bits 1, beyond 3 bits 2")
      .in(1, 4);
  s.field("scale", &HiggsCodecParams::scale, "right on average, or the least error of one message")
      .one_of({"unbiased", "mse"});
  s.check([](const HiggsCodecParams& p, const Node& map, Reader& reader) {
    if (p.dimension != 3) return;
    const Reader::Scope scope(reader, "dimension");
    reader.problem(map.find("dimension")->where, "there are grids of 1, 2 and 4 dimensions");
  });
  return s;
}

namespace {

class HiggsCodec final : public Codec {
 public:
  explicit HiggsCodec(const HiggsCodecParams& p)
      : data_(grid_of(p)),
        bits_(std::bit_width(static_cast<unsigned>(data_->points)) - 1),
        unbiased_(p.scale == "unbiased") {}

  Bytes bytes(const Layout& layout) const override {
    return Bytes(static_cast<std::int64_t>(Places(layout.size, *data_).bytes()));
  }

  Payload encode(const Layout& layout, std::span<float> values, State&,
                 Stream stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const Places at(values.size(), *data_);
    Payload payload;
    payload.bytes.resize(at.bytes());
    const std::uint64_t seed = stream.bits64();
    float most = 0;
    for (const float v : values) most = std::max(most, std::abs(v));
    const auto exponent = static_cast<std::int16_t>(most > 0 ? std::ilogb(most) : 0);
    std::memcpy(payload.bytes.data(), &seed, sizeof seed);
    std::memcpy(payload.bytes.data() + sizeof seed, &exponent, sizeof exponent);
    const std::vector<float> signs = signs_of(seed, at);
    std::vector<float> work(at.groups * at.group);
    for (std::size_t i = 0; i < values.size(); ++i) {
      work[i] = std::ldexp(values[i], -exponent) * signs[i];
    }
    std::vector<std::uint16_t> codes(at.codes), scales(at.groups);
    const std::size_t step = at.codes / std::max<std::size_t>(at.groups, 1);
    for (std::size_t k = 0; k < at.groups; ++k) {
      const float scale =
          kernels::encode_rotated(grid(), std::span(work).subspan(k * at.group, at.group),
                                  std::span(codes).subspan(k * step, step), unbiased_);
      scales[k] = kernels::to_half(std::isfinite(scale) ? scale : 0.0F);
    }
    if (!scales.empty()) {
      std::memcpy(payload.bytes.data() + kHeader, scales.data(), 2 * scales.size());
      kernels::pack_bits(wire::octets(payload, at.first_code()), codes, bits_);
    }
    read(at, payload, values);
    return payload;
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    const Places at(out.size(), *data_);
    wire::expect_size(kName, payload, at.bytes());
    if (!out.empty()) {
      wire::expect_zero_padding(kName, wire::octets(payload, at.first_code()),
                                at.codes * static_cast<std::uint64_t>(bits_));
    }
    read(at, payload, out);
  }

 private:
  const kernels::PointGrid& grid() const { return kernels::gaussian_grid(*data_); }

  static std::vector<float> signs_of(std::uint64_t seed, const Places& at) {
    std::vector<float> signs(at.groups * at.group);
    kernels::random_signs(signs, Stream(seed, "higgs.signs"));
    return signs;
  }

  // `out` becomes what the payload says; what would be infinite is the greatest number.
  void read(const Places& at, const Payload& payload, std::span<float> out) const {
    constexpr float kMost = std::numeric_limits<float>::max();
    std::uint64_t seed = 0;
    std::int16_t exponent = 0;
    std::memcpy(&seed, payload.bytes.data(), sizeof seed);
    std::memcpy(&exponent, payload.bytes.data() + sizeof seed, sizeof exponent);
    if (exponent < -149 || exponent > 127) wire::refuse(kName, "its exponent is none of float32");
    if (out.empty()) return;
    std::vector<std::uint16_t> codes(at.codes), scales(at.groups);
    std::memcpy(scales.data(), payload.bytes.data() + kHeader, 2 * scales.size());
    kernels::unpack_bits(codes, wire::octets(payload, at.first_code()), bits_);
    const std::vector<float> signs = signs_of(seed, at);
    const std::size_t step = at.codes / at.groups;
    std::vector<float> values(at.group);
    for (std::size_t k = 0; k < at.groups; ++k) {
      const float scale = kernels::from_half(scales[k]);
      if (!std::isfinite(scale)) wire::refuse_not_finite(kName);
      kernels::decode_rotated(grid(), std::span(codes).subspan(k * step, step), scale, values);
      const std::size_t first = k * at.group, end = std::min(out.size(), first + at.group);
      for (std::size_t i = first; i < end; ++i) {
        out[i] = std::clamp(std::ldexp(values[i - first] * signs[i], exponent), -kMost, kMost);
      }
    }
  }

  const kernels::GaussianGridData* data_;
  int bits_;
  bool unbiased_;
};

SKIFF_REGISTER(Codec, HiggsCodec, HiggsCodecParams,
               {.name = "higgs",
                .summary = "randomized Hadamard rotation and Gaussian-optimal grids",
                .paper = "Malinovskii et al. 2024, arXiv:2411.17525; Vargaftik et al. 2022, "
                         "arXiv:2108.08842",
                .verified = "the error of a mean of 1, 10 and 100 messages of a Gaussian vector "
                            "follows D / ((1 - D) M), and D^2 + D (1 - D) / M for scale mse",
                .deviates = "for updates instead of weights; unbiased only as far as the rotation "
                            "makes a group look Gaussian, so no bound is stated"});

}  // namespace
}  // namespace skiff
