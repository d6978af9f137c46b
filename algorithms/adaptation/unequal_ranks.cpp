#include "algorithms/adaptation/unequal_ranks.h"

#include <algorithm>
#include <cmath>

#include "algorithms/kernels/gemm.h"
#include "algorithms/kernels/low_rank_sum.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

// The adapters that a vector of both factors is of; their s is set where alpha is said.
std::vector<AdapterSlices> adapters_in(const Layout& factors, double alpha = 0) {
  std::vector<AdapterSlices> all;
  for (const Slice& s : factors.slices) {
    if (s.name.ends_with(suffix_of(Factor::kA))) {
      const std::string layer = s.name.substr(0, s.name.size() - suffix_of(Factor::kA).size());
      const Slice* b = factors.find(layer + std::string(suffix_of(Factor::kB)));
      SKIFF_CHECK(b != nullptr, "a layer with one factor: " + layer);
      all.push_back({layer, b->rows, s.cols, s.rows, alpha / s.rows});
    }
  }
  return all;
}

std::size_t at(int row, int cols, int col) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(cols) +
         static_cast<std::size_t>(col);
}

// to += weight * from on the ranks that both have; B also times `scale`.
void add_prefix(const AdapterSlices& from, const Vector& source, const AdapterSlices& to,
                double weight, double scale, std::span<double> a_sum, std::span<double> b_sum) {
  const std::span<const float> a = factor(source, from.layer, Factor::kA);
  const std::span<const float> b = factor(source, from.layer, Factor::kB);
  for (int j = 0; j < std::min(from.rank, to.rank); ++j) {
    for (int i = 0; i < to.cols; ++i) {
      a_sum[at(i, to.rank, j)] += weight * static_cast<double>(a[at(i, from.rank, j)]);
    }
    for (int i = 0; i < to.rows; ++i) {
      b_sum[at(j, to.rows, i)] += weight * scale * static_cast<double>(b[at(j, from.rows, i)]);
    }
  }
}

// |B A|^2 as the sum over pairs of ranks of (B'B)[j][k] (A A')[j][k].
double squared_product(const AdapterSlices& l, const Vector& v) {
  const std::span<const float> a = factor(v, l.layer, Factor::kA);
  const std::span<const float> b = factor(v, l.layer, Factor::kB);
  double sum = 0;
  for (int j = 0; j < l.rank; ++j) {
    for (int k = 0; k < l.rank; ++k) {
      double aa = 0, bb = 0;
      for (int i = 0; i < l.cols; ++i)
        aa += double(a[at(i, l.rank, j)]) * double(a[at(i, l.rank, k)]);
      for (int i = 0; i < l.rows; ++i)
        bb += double(b[at(j, l.rows, i)]) * double(b[at(k, l.rows, i)]);
      sum += aa * bb;
    }
  }
  return sum;
}

// Shares in proportion to the size of what each client adds to the model.
std::vector<double> by_product_size(std::span<const Vector> clients, double alpha) {
  std::vector<double> sizes;
  double total = 0;
  for (const Vector& v : clients) {
    double square = 0;
    for (const AdapterSlices& l : adapters_in(*v.layout, alpha)) {
      square += squared_product(l, v) * l.scale * l.scale;
    }
    sizes.push_back(std::sqrt(square));
    total += sizes.back();
  }
  for (double& s : sizes) s = total > 0 ? s / total : 1.0 / static_cast<double>(sizes.size());
  return sizes;
}

void store(std::span<const double> from, std::span<float> to) {
  std::transform(from.begin(), from.end(), to.begin(), [](double x) { return float(x); });
}

void pad(std::span<const double> shares, std::span<const Vector> clients, std::size_t layer,
         const AdapterSlices& to, Vector& out) {
  std::vector<double> a(at(to.rank, to.cols, 0)), b(at(to.rank, to.rows, 0));
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const AdapterSlices from = adapters_in(*clients[k].layout)[layer];
    const double scale = static_cast<double>(to.rank) / from.rank;
    add_prefix(from, clients[k], to, shares[k], scale, a, b);
  }
  store(a, factor(out, to.layer, Factor::kA));
  store(b, factor(out, to.layer, Factor::kB));
}

void decompose(std::span<const double> shares, std::span<const Vector> clients, std::size_t layer,
               const AdapterSlices& to, Vector& out) {
  std::vector<float> b, a;  // terms x m, terms x n
  int terms = 0;
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const AdapterSlices from = adapters_in(*clients[k].layout)[layer];
    const std::span<const float> fa = factor(clients[k], from.layer, Factor::kA);
    const std::span<const float> fb = factor(clients[k], from.layer, Factor::kB);
    // p_k s_k / s, so that s B A is the mean.
    const auto times = static_cast<float>(shares[k] * to.rank / from.rank);
    for (const float x : fb) b.push_back(times * x);
    a.resize(a.size() + fa.size());
    kernels::transpose(kernels::dense(a.data() + at(terms, to.cols, 0), from.rank, to.cols),
                       kernels::dense(fa.data(), to.cols, from.rank));
    terms += from.rank;
  }
  const kernels::SingularTriples best =
      kernels::best_low_rank(to.rank, kernels::dense(std::as_const(b).data(), terms, to.rows),
                             kernels::dense(std::as_const(a).data(), terms, to.cols));
  const std::span<float> out_a = factor(out, to.layer, Factor::kA);
  const std::span<float> out_b = factor(out, to.layer, Factor::kB);
  for (int j = 0; j < to.rank; ++j) {
    const double half = std::sqrt(best.values[static_cast<std::size_t>(j)]);
    for (int i = 0; i < to.cols; ++i) {
      out_a[at(i, to.rank, j)] = static_cast<float>(half * best.right[at(j, to.cols, i)]);
    }
    for (int i = 0; i < to.rows; ++i) {
      out_b[at(j, to.rows, i)] = static_cast<float>(half * best.left[at(j, to.rows, i)]);
    }
  }
}

}  // namespace

Vector narrowed(const Vector& factors, int rank) {
  const std::vector<AdapterSlices> wide = adapters_in(*factors.layout);
  if (std::all_of(wide.begin(), wide.end(), [&](const auto& l) { return l.rank <= rank; })) {
    return factors;
  }
  auto layout = std::make_shared<Layout>();
  std::vector<AdapterSlices> narrow = wide;
  for (AdapterSlices& l : narrow) {
    l.rank = std::min(l.rank, rank);
    layout->add(l.layer + std::string(suffix_of(Factor::kA)), l.rank, l.cols, Order::kInOut);
    layout->add(l.layer + std::string(suffix_of(Factor::kB)), l.rows, l.rank, Order::kInOut);
  }
  Vector out(layout);
  for (std::size_t l = 0; l < wide.size(); ++l) {
    std::vector<double> a(at(narrow[l].rank, narrow[l].cols, 0));
    std::vector<double> b(at(narrow[l].rank, narrow[l].rows, 0));
    const double scale = static_cast<double>(narrow[l].rank) / wide[l].rank;
    add_prefix(wide[l], factors, narrow[l], 1, scale, a, b);
    store(a, factor(out, narrow[l].layer, Factor::kA));
    store(b, factor(out, narrow[l].layer, Factor::kB));
  }
  return out;
}

Vector joined(const std::string& how, std::span<const double> shares,
              std::span<const Vector> clients, const LayoutPtr& server, double alpha) {
  Vector out(server);
  const std::vector<double> weights = how == "hetlora"
                                          ? by_product_size(clients, alpha)
                                          : std::vector<double>(shares.begin(), shares.end());
  const std::vector<AdapterSlices> layers = adapters_in(*server);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    if (how == "flexlora") {
      decompose(weights, clients, l, layers[l], out);
    } else {
      pad(weights, clients, l, layers[l], out);
    }
  }
  return out;
}

void add_stacked(std::span<const double> shares, std::span<const Vector> clients, double alpha,
                 Vector& weights) {
  for (std::size_t k = 0; k < clients.size(); ++k) {
    const std::vector<AdapterSlices> layers = adapters_in(*clients[k].layout, alpha);
    add_products(weights, layers, clients[k], {}, shares[k]);
  }
}

}  // namespace skiff
