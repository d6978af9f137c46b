// Label skew, client by client (Hsu, Qi, Brown 2019, arXiv:1909.06335): q_k ~ Dir(alpha p), p the
// class shares of the whole; sizes are fixed in advance; again and again a random client that is
// not full draws a class from q_k, renormalised over the classes that have samples left, and takes
// an unused sample of it.
#include <algorithm>
#include <numeric>

#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct DirichletClientParams {
  double alpha = 0.5;
  double sigma = 0;
};
}  // namespace

template <>
Schema<DirichletClientParams> schema() {
  Schema<DirichletClientParams> s;
  s.field("alpha", &DirichletClientParams::alpha,
          "concentration of a client's class shares around those of the whole")
      .required("by dirichlet-client; small is skewed, such as 0.3")
      .above(0);
  s.field("sigma", &DirichletClientParams::sigma, "spread of the sizes: lognormal; 0 = all equal")
      .in(0, 10);
  return s;
}

namespace {

class DirichletClient final : public Partition {
 public:
  explicit DirichletClient(const DirichletClientParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    require_clients(n, task.clients);
    ClassRows left = rows_by_class(task.labels);
    std::vector<double> prior;
    for (std::size_t c = 0; c < left.rows.size(); ++c) {
      Stream order = stream.child("class", c);
      shuffle(order, std::span(left.rows[c]));
      prior.push_back(static_cast<double>(left.rows[c].size()) / static_cast<double>(n));
    }
    std::vector<std::int64_t> room = client_sizes(n, task.clients, stream);
    std::vector<std::vector<double>> q;
    for (std::size_t k = 0; k < room.size(); ++k) {
      q.push_back(class_shares(prior, stream.child("shares", k)));
    }
    std::vector<std::uint32_t> open;  // clients that are not full
    for (std::size_t k = 0; k < room.size(); ++k) {
      if (room[k] > 0) open.push_back(static_cast<std::uint32_t>(k));
    }
    std::vector<std::int32_t> client_of_row(task.labels.size(), -1);
    while (!open.empty()) {
      const std::size_t pick = stream.below(static_cast<std::uint32_t>(open.size()));
      const std::uint32_t k = open[pick];
      std::vector<std::uint32_t>& rows = left.rows[draw_class(q[k], left, stream)];
      client_of_row[rows.back()] = static_cast<std::int32_t>(k);
      rows.pop_back();
      if (--room[k] == 0) {
        open[pick] = open.back();
        open.pop_back();
      }
    }
    return {shards_by_client(client_of_row, task.clients), {}};
  }

 private:
  std::vector<std::int64_t> client_sizes(std::int64_t n, int clients, const Stream& stream) const {
    if (params_.sigma == 0) return equal_sizes(n, clients);
    Stream law = stream.child("sizes");
    return lognormal_sizes(n, clients, params_.sigma, 1, law);
  }

  std::vector<double> class_shares(const std::vector<double>& prior, Stream stream) const {
    std::vector<double> q(prior.size());
    for (std::size_t c = 0; c < q.size(); ++c) q[c] = gamma(stream, params_.alpha * prior[c]);
    const double sum = std::accumulate(q.begin(), q.end(), 0.0);
    if (sum > 0) return q;
    // All underflowed: the limit law is one class, chosen by the prior.
    double u = stream.uniform();
    std::size_t c = 0;
    while (c + 1 < prior.size() && u >= prior[c]) u -= prior[c++];
    q[c] = 1;
    return q;
  }

  // From q over the classes that have samples left; if q has no mass there, by samples left.
  static std::size_t draw_class(const std::vector<double>& q, const ClassRows& left,
                                Stream& stream) {
    double mass = 0, samples = 0;
    for (std::size_t c = 0; c < q.size(); ++c) {
      if (!left.rows[c].empty()) mass += q[c];
      samples += static_cast<double>(left.rows[c].size());
    }
    double u = stream.uniform() * (mass > 0 ? mass : samples);
    std::size_t last = 0;
    for (std::size_t c = 0; c < q.size(); ++c) {
      if (left.rows[c].empty()) continue;
      const double weight = mass > 0 ? q[c] : static_cast<double>(left.rows[c].size());
      if (weight > 0) last = c;
      if (u < weight) return c;
      u -= weight;
    }
    return last;  // rounding ate the tail
  }

  DirichletClientParams params_;
};

SKIFF_REGISTER(Partition, DirichletClient, DirichletClientParams,
               {.name = "dirichlet-client",
                .summary = "each client draws its class shares from a Dirichlet law",
                .paper = "Hsu, Qi, Brown 2019, arXiv:1909.06335",
                .verified = "mean and variance of the shares, equal sizes, disjoint, complete",
                .deviates = "codes that give every class the whole alpha mean by alpha what is "
                            "alpha x classes here"});

}  // namespace
}  // namespace skiff
