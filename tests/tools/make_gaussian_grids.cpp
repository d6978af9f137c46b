// Computes the grids of algorithms/kernels/gaussian_grids_*.cpp: the n points of R^p with the least
// E min_i |Z - c_i|^2 / p for a standard Gaussian Z, as near as we get to it. Not part of any test.
//
//   cmake --build build/release --target skiff_make_gaussian_grids
//   build/release/tests/skiff_make_gaussian_grids algorithms/kernels
//
// p = 1: Lloyd's fixed point in double; the optimum is unique. p = 2: sums over the lattice of step
// 0.03 (then 0.012) within |z| < 6, weighted by the density; over-relaxed Lloyd from 16 starts, the
// best polished. p = 4: Lloyd over fresh Gaussian samples whose sums fade slowly.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "algorithms/kernels/half.h"
#include "algorithms/kernels/point_grid.h"
#include "sim/core/distributions.h"

namespace {

using skiff::Stream;
using skiff::kernels::PointGrid;

struct Result {
  int dimension = 0;
  std::vector<double> points;  // n x dimension
  double distortion = 0;
};

double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI); }
double below(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// c_i = (density(b_i-1) - density(b_i)) / P_i between midpoints b, kept symmetric.
Result on_a_line(int n) {
  std::vector<double> c;
  for (int i = 0; i < n; ++i) c.push_back(std::sqrt(3.0) * (2.0 * i + 1 - n) / n);
  double distortion = 1;
  for (int round = 0; round < 4'000'000; ++round) {
    std::vector<double> next(c.size());
    double kept = 0, moved = 0;
    for (std::size_t i = 0; i < c.size(); ++i) {
      const double low = i == 0 ? -40 : 0.5 * (c[i - 1] + c[i]);
      const double high = i + 1 == c.size() ? 40 : 0.5 * (c[i] + c[i + 1]);
      // Of the side where the difference does not cancel.
      const double mass = low > 0 ? below(-low) - below(-high) : below(high) - below(low);
      next[i] = (density(low) - density(high)) / mass;
      kept += mass * next[i] * next[i];
    }
    for (std::size_t i = 0; i < c.size(); ++i) {
      next[i] = 0.5 * (next[i] - next[c.size() - 1 - i]);
      const double relaxed = c[i] + 1.8 * (next[i] - c[i]);
      moved = std::max(moved, std::abs(next[i] - c[i]));
      if (round >= 300 && round % 50 < 45) next[i] = relaxed;
    }
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = 0.5 * (next[i] - next[c.size() - 1 - i]);
    distortion = 1 - kept;
    if (moved < 1e-13) break;
  }
  return {1, c, distortion};
}

struct Weighted {
  std::vector<float> x;  // dimension values a point
  std::vector<double> weights;
};

Weighted lattice(double step) {
  Weighted all;
  const int most = static_cast<int>(6 / step);
  for (int i = -most; i <= most; ++i) {
    for (int j = -most; j <= most; ++j) {
      const double x = (i + 0.31) * step, y = (j + 0.17) * step;
      if (x * x + y * y >= 36) continue;
      all.x.insert(all.x.end(), {static_cast<float>(x), static_cast<float>(y)});
      all.weights.push_back(std::exp(-0.5 * (x * x + y * y)));
    }
  }
  return all;
}

std::vector<float> as_floats(const std::vector<double>& v) { return {v.begin(), v.end()}; }

// comparing: without building cells, which takes longer than few points are worth; those of a plane
// as points of R^3.
std::vector<std::uint16_t> nearest_codes(int p, const std::vector<double>& points,
                                         const Weighted& data, bool comparing) {
  std::vector<std::uint16_t> codes(data.x.size() / static_cast<std::size_t>(p));
  if (!comparing || p != 2) {
    PointGrid(p, as_floats(points)).nearest(codes, data.x);
    return codes;
  }
  const auto lifted = [](const std::vector<float>& plane) {
    std::vector<float> space;
    for (std::size_t i = 0; i + 1 < plane.size(); i += 2) {
      space.insert(space.end(), {plane[i], plane[i + 1], 0.0F});
    }
    return space;
  };
  PointGrid(3, lifted(as_floats(points))).nearest(codes, lifted(data.x));
  return codes;
}

// One round over `data`: new sums into those given, faded by `keep`; the distortion per dimension.
double lloyd(int p, std::vector<double>& points, const Weighted& data, double relax, double keep,
             std::vector<double>& sums, bool comparing) {
  const auto dim = static_cast<std::size_t>(p);
  const std::size_t n = points.size() / dim, count = data.x.size() / dim;
  const std::vector<std::uint16_t> codes = nearest_codes(p, points, data, comparing);
  sums.resize(n * (dim + 1));
  for (double& s : sums) s *= keep;
  double error = 0, mass = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double w = data.weights.empty() ? 1.0 : data.weights[i];
    double* sum = &sums[codes[i] * (dim + 1)];
    for (std::size_t d = 0; d < dim; ++d) {
      const double x = data.x[i * dim + d], e = x - points[codes[i] * dim + d];
      sum[d] += w * x;
      error += w * e * e;
    }
    sum[dim] += w;
    mass += w;
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t d = 0; d < dim && sums[i * (dim + 1) + dim] > 0; ++d) {
      const double mean = sums[i * (dim + 1) + d] / sums[i * (dim + 1) + dim];
      points[i * dim + d] += relax * (mean - points[i * dim + d]);
    }
  }
  return error / mass / p;
}

std::vector<double> random_points(int p, int n, double deviation, std::uint64_t start) {
  Stream stream(start, "grid", static_cast<std::uint64_t>(n), static_cast<std::uint64_t>(p));
  std::vector<double> points(static_cast<std::size_t>(n * p));
  for (double& c : points) c = deviation * skiff::normal(stream);
  return points;
}

void run(int p, std::vector<double>& points, const Weighted& data, int rounds, double relax,
         bool comparing) {
  for (int r = 0; r < rounds; ++r) {
    std::vector<double> sums;
    lloyd(p, points, data, r % 10 == 9 ? 1 : relax, 0, sums, comparing);
  }
}

Result in_a_plane(int n, int starts) {
  const Weighted coarse = lattice(0.04), fine = lattice(0.012);
  std::vector<double> best;
  double least = 1;
  for (int s = 0; s < starts; ++s) {
    std::vector<double> points = random_points(2, n, 1.3, static_cast<std::uint64_t>(s)), sums;
    run(2, points, coarse, 160, 1.55, true);
    std::vector<double> probe = points;
    const double d = lloyd(2, probe, coarse, 0, 0, sums, true);
    if (d < least) {
      least = d;
      best = points;
    }
  }
  run(2, best, fine, 400, 1.5, false);
  run(2, best, fine, 40, 1, false);
  std::vector<double> probe = best, sums;
  return {2, best, lloyd(2, probe, fine, 0, 0, sums, false)};
}

Weighted samples(int p, std::size_t count, std::uint64_t draw) {
  Weighted data;
  Stream stream(9, "samples", static_cast<std::uint64_t>(p), draw);
  data.x.resize(count * static_cast<std::size_t>(p));
  for (float& x : data.x) x = static_cast<float>(skiff::normal(stream));
  return data;
}

Result in_space(int p, int n, int rounds, std::size_t count) {
  std::vector<double> points = random_points(p, n, 1.0, 3), sums;
  for (int r = 0; r < rounds; ++r) {
    const double keep = r < rounds / 3 ? 0.3 : r < 2 * rounds / 3 ? 0.8 : 0.95;
    const double d = lloyd(p, points, samples(p, count, static_cast<std::uint64_t>(r)),
                           r < rounds / 2 ? 1.4 : 1.0, keep, sums, false);
    if (r % 10 == 9) fmt::print(stderr, "  round {}: {:.6f}\n", r + 1, d);
  }
  for (double& c : points) {
    c = skiff::kernels::from_half(skiff::kernels::to_half(static_cast<float>(c)));
  }
  std::vector<double> probe = points, fresh;
  double distortion = 0;
  for (std::uint64_t s = 0; s < 4; ++s) {
    distortion += lloyd(p, probe, samples(p, count, 1'000'000 + s), 0, 0, fresh, false) / 4;
  }
  return {p, points, distortion};
}

std::string base64(const std::string& bytes) {
  static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t v = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      v = v << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? digits[v >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

// Sorted lexicographically, as bytes: float32, of dimension 4 fp16.
std::string bytes_of(Result& r) {
  const auto p = static_cast<std::size_t>(r.dimension);
  std::vector<std::vector<double>> rows;
  for (std::size_t i = 0; i < r.points.size(); i += p) {
    rows.emplace_back(r.points.begin() + static_cast<std::ptrdiff_t>(i),
                      r.points.begin() + static_cast<std::ptrdiff_t>(i + p));
  }
  std::sort(rows.begin(), rows.end());
  std::string bytes;
  for (const auto& row : rows) {
    for (const double c : row) {
      const auto value = static_cast<float>(c);
      const std::uint16_t half = skiff::kernels::to_half(value);
      bytes.append(
          p == 4 ? reinterpret_cast<const char*>(&half) : reinterpret_cast<const char*>(&value),
          p == 4 ? 2 : 4);
    }
  }
  return bytes;
}

void write(const std::string& path, const std::string& array, std::vector<Result>& grids) {
  std::ofstream file(path);
  file << "// Generated by tests/tools/make_gaussian_grids.cpp.\n"
          "#include \"algorithms/kernels/gaussian_grids.h\"\n\nnamespace skiff::kernels {\n\n"
          "// clang-format off\n"
       << fmt::format("extern const GaussianGridData {}[{}] = {{\n", array, grids.size());
  for (Result& r : grids) {
    const std::string bytes = bytes_of(r);
    file << fmt::format("    {{{}, {}, {:.12g}, 0x{:016x},", r.dimension,
                        r.points.size() / static_cast<std::size_t>(r.dimension), r.distortion,
                        skiff::hash_text(bytes));
    const std::string text = base64(bytes);
    for (std::size_t i = 0; i < text.size(); i += 92) {
      file << "\n     \"" << text.substr(i, 92) << '"';
    }
    file << "},\n";
  }
  file << "};\n// clang-format on\n\n}  // namespace skiff::kernels\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";
  std::vector<Result> line, space;
  const auto say = [](const Result& r) {
    fmt::print("({}, {}): {:.9f}\n", r.dimension,
               r.points.size() / static_cast<std::size_t>(r.dimension), r.distortion);
    std::fflush(stdout);
  };
  for (const int n : {2, 3, 4, 5, 8, 9, 16, 32, 64, 128, 256}) {
    line.push_back(on_a_line(n));
    say(line.back());
  }
  for (const int n : {8, 9, 16, 32, 64, 88, 128, 256}) {
    line.push_back(in_a_plane(n, n < 64 ? 24 : 12));
    say(line.back());
  }
  line.push_back(in_space(4, 256, 150, 1 << 18));
  say(line.back());
  write(folder + "/gaussian_grids_data.cpp", "kGaussianGrids", line);
  space.push_back(in_space(4, 4096, 90, 1 << 18));
  say(space.back());
  write(folder + "/gaussian_grids_data_4096.cpp", "kLargeGaussianGrids", space);
}
