// PowerSGD: Vogels, Karimireddy and Jaggi 2019, "PowerSGD: practical low-rank gradient compression
// for distributed optimization", algorithms 1 and 2 (NeurIPS; arXiv:1905.13727).
//
// For each matrix M (R x C) of the vector, after the residual was added, one power iteration:
//   P = M Q;   orthonormalise the columns of P;   Q = M^T P;   sent: P and Q;   M^ = P Q^T
// Q is kept for the next message (warm start); at first its entries are drawn from N(0, 1). A
// matrix of rank <= r comes through exact. What was not sent, M - M^, is the residual (error
// feedback is part of the method). Slices that are no matrices, or whose factors would not be
// shorter, are sent as they are.
// The paper's workers sum P, then Q, so that all of them share one P; reports of a federated round
// do not wait for each other, so here every client iterates on its own matrix and the server
// averages the P Q^T: each is a projection of its client's matrix, with more bytes to decode.
//
// Wire format, slice by slice in the order of the layout: P^T (r x R), then Q^T (r x C), float32;
// or the values. Size: 4 sum of r (R + C), or of the size of the slice. State of the sender: the
// residual "error_feedback", n float32, and "powersgd", the Q^T of all matrices one after the
// other, float32. Cost: 4 r R C multiply-adds at the sender, in double, r R C at the receiver.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "algorithms/codec.h"
#include "algorithms/communication/density.h"
#include "algorithms/communication/error_feedback.h"
#include "algorithms/communication/wire.h"
#include "sim/core/distributions.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

constexpr const char* kName = "powersgd";

struct PowerSgdParams {
  int rank = 1;
};

// A slice as it lies in memory, row-major.
struct Matrix {
  std::size_t offset, rows, cols, rank;  // rank 0: sent as it is
  std::size_t floats() const { return rank == 0 ? rows * cols : rank * (rows + cols); }
};

std::vector<Matrix> matrices_of(const Layout& layout, std::size_t rank) {
  std::vector<Matrix> all;
  for (const Slice& s : layout.slices) {
    const auto out = static_cast<std::size_t>(s.rows), in = static_cast<std::size_t>(s.cols);
    Matrix m{s.offset, s.order == Order::kInOut ? in : out, s.order == Order::kInOut ? out : in, 0};
    if (rank * (m.rows + m.cols) < m.rows * m.cols) m.rank = rank;
    all.push_back(m);
  }
  return all;
}

float rounded(double x) noexcept {
  constexpr double most = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(x, -most, most));
}

// Columns as spans of one array, each `length` long.
using Columns = std::vector<std::span<float>>;
Columns columns(std::span<float> memory, std::size_t count, std::size_t length) {
  Columns all;
  for (std::size_t k = 0; k < count; ++k) all.push_back(memory.subspan(k * length, length));
  return all;
}

// Gram-Schmidt, twice for each column. One that depends on those before becomes zero.
void orthonormalise(const Columns& p) {
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double before = std::sqrt(kernels::squared_norm_double(p[k]));
    if (before == 0) continue;
    for (float& x : p[k]) x = static_cast<float>(static_cast<double>(x) / before);
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < k; ++j) {
        kernels::axpy(p[k], -static_cast<float>(kernels::dot_double(p[j], p[k])), p[j]);
      }
    }
    const double left = std::sqrt(kernels::squared_norm_double(p[k]));
    const double scale = left > 1e-5 ? 1 / left : 0;
    for (float& x : p[k]) x = static_cast<float>(static_cast<double>(x) * scale);
  }
}

// P = M Q, orthonormalised; then Q = M^T P.
void iterate(const Matrix& m, std::span<const float> values, const Columns& p, const Columns& q) {
  const auto row = [&](std::size_t i) { return values.subspan(m.offset + i * m.cols, m.cols); };
  for (std::size_t k = 0; k < m.rank; ++k) {
    for (std::size_t i = 0; i < m.rows; ++i) p[k][i] = rounded(kernels::dot_double(row(i), q[k]));
  }
  orthonormalise(p);
  std::vector<double> sum(m.cols);
  for (std::size_t k = 0; k < m.rank; ++k) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t i = 0; i < m.rows; ++i) kernels::axpy(sum, p[k][i], row(i));
    for (std::size_t j = 0; j < m.cols; ++j) q[k][j] = rounded(sum[j]);
  }
}

// values of the matrix = P Q^T
void multiply(const Matrix& m, const Columns& p, const Columns& q, std::span<float> values) {
  std::vector<double> sum(m.cols);
  for (std::size_t i = 0; i < m.rows; ++i) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (std::size_t k = 0; k < m.rank; ++k) kernels::axpy(sum, p[k][i], q[k]);
    for (std::size_t j = 0; j < m.cols; ++j) {
      values[m.offset + i * m.cols + j] = rounded(sum[j]);
    }
  }
}

// Columns that are all zero would stay so for ever: they are drawn, at first and anew.
void draw_missing(const Columns& q, Stream& stream) {
  for (const std::span<float> column : q) {
    if (kernels::max_abs(column) > 0) continue;
    for (float& x : column) x = static_cast<float>(normal(stream));
  }
}

}  // namespace

template <>
Schema<PowerSgdParams> schema() {
  Schema<PowerSgdParams> s;
  s.field("rank", &PowerSgdParams::rank, "columns of the two factors of a matrix")
      .required(required_by(kName))
      .at_least(1);
  return s;
}

namespace {

class PowerSgd final : public Codec {
 public:
  explicit PowerSgd(const PowerSgdParams& p) : rank_(static_cast<std::size_t>(p.rank)) {}

  Bytes bytes(const Layout& layout) const override { return Bytes(4 * floats(layout)); }

  Payload encode(const Layout& layout, std::span<float> values, State& sender,
                 Stream stream) const override {
    SKIFF_CHECK(values.size() == layout.size, "values do not fit the layout");
    wire::check_finite(kName, values);
    const std::vector<Matrix> matrices = matrices_of(layout, rank_);
    std::span<float> kept;
    if (kept_floats(matrices) > 0) kept = sender.array<float>(kName, kept_floats(matrices));
    return with_error_feedback(values, sender, [&](std::span<float> u) {
      return send(layout, matrices, u, kept, stream);
    });
  }

  void decode(const Layout& layout, const Payload& payload, std::span<float> out) const override {
    SKIFF_CHECK(out.size() == layout.size, "output does not fit the layout");
    wire::expect_size(kName, payload, static_cast<std::size_t>(4 * floats(layout)));
    std::size_t offset = 0;
    for (const Matrix& m : matrices_of(layout, rank_)) {
      std::vector<float> sent(m.floats());
      wire::read_floats(payload, offset, sent);
      wire::expect_finite(kName, sent);
      offset += sent.size() * sizeof(float);
      unpack(m, sent, out);
    }
  }

  bool keeps_state() const override { return true; }
  Bytes state_bytes(const Layout& layout) const override {
    const std::size_t n = layout.size + kept_floats(matrices_of(layout, rank_));
    return Bytes(static_cast<std::int64_t>(n * sizeof(float)));
  }

 private:
  std::int64_t floats(const Layout& layout) const {
    std::size_t n = 0;
    for (const Matrix& m : matrices_of(layout, rank_)) n += m.floats();
    return static_cast<std::int64_t>(n);
  }
  static std::size_t kept_floats(const std::vector<Matrix>& matrices) {
    std::size_t n = 0;
    for (const Matrix& m : matrices) n += m.rank * m.cols;
    return n;
  }

  static void unpack(const Matrix& m, std::span<float> sent, std::span<float> out) {
    if (m.rank == 0) {
      std::copy(sent.begin(), sent.end(), out.begin() + static_cast<std::ptrdiff_t>(m.offset));
    } else {
      multiply(m, columns(sent, m.rank, m.rows),
               columns(sent.subspan(m.rank * m.rows), m.rank, m.cols), out);
    }
  }

  Payload send(const Layout& layout, const std::vector<Matrix>& matrices, std::span<float> values,
               std::span<float> kept, Stream& stream) const {
    Payload payload;
    payload.bytes.resize(static_cast<std::size_t>(4 * floats(layout)));
    std::size_t offset = 0;
    for (const Matrix& m : matrices) {
      std::vector<float> sent(m.floats());
      if (m.rank == 0) {
        const auto own = values.subspan(m.offset, sent.size());
        std::copy(own.begin(), own.end(), sent.begin());
      } else {
        const Columns q = columns(kept.first(m.rank * m.cols), m.rank, m.cols);
        draw_missing(q, stream);
        iterate(m, values, columns(sent, m.rank, m.rows), q);
        std::copy_n(kept.begin(), m.rank * m.cols,
                    sent.begin() + static_cast<std::ptrdiff_t>(m.rank * m.rows));
        kept = kept.subspan(m.rank * m.cols);
      }
      wire::write_floats(payload, offset, sent);
      offset += sent.size() * sizeof(float);
      unpack(m, sent, values);
    }
    return payload;
  }

  std::size_t rank_;
};

SKIFF_REGISTER(Codec, PowerSgd, PowerSgdParams,
               {.name = kName,
                .summary = "low-rank factors by power iteration",
                .paper = "Vogels et al. 2019, arXiv:1905.13727",
                .verified = "matrices of rank <= r come through in one message to 2e-6; on a "
                            "fixed matrix the warm start reaches the best rank-r error",
                .deviates = "every client iterates on its own matrix: nothing is summed between "
                            "P and Q"});

}  // namespace
}  // namespace skiff
