// Label skew, class by class (Yurochkin et al. 2019; FedMA; NIID-Bench): for each class c,
// p ~ Dir_K(alpha); with `balance`, p_k = 0 for clients that already hold n / K samples or more,
// then renormalised; the shuffled rows of the class are cut at floor(cumsum(p) n_c). The whole draw
// is repeated until every client holds min_samples.
#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct DirichletParams {
  double alpha = 0.5;
  int min_samples = 1;
  bool balance = true;
};
}  // namespace

template <>
Schema<DirichletParams> schema() {
  Schema<DirichletParams> s;
  s.field("alpha", &DirichletParams::alpha, "concentration: 0.1 is very skewed, 100 nearly iid")
      .required("by dirichlet; small is skewed, such as 0.3")
      .above(0);
  s.field("min_samples", &DirichletParams::min_samples,
          "the draw is repeated until every client holds that many")
      .at_least(1);
  s.field("balance", &DirichletParams::balance,
          "a client that holds its even share of samples gets no further classes");
  return s;
}

namespace {

class DirichletPartition final : public Partition {
 public:
  explicit DirichletPartition(const DirichletParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    require_clients(n, task.clients);
    ClassRows classes = rows_by_class(task.labels);
    std::vector<std::vector<std::int64_t>> taken;  // of class c by client k
    draw_sizes([&](Stream& trial) { return draw(classes, n, task.clients, trial, taken); }, stream,
               params_.min_samples, "write a larger alpha, a smaller min_samples or fewer clients");
    std::vector<std::int32_t> client_of_row(task.labels.size());
    for (std::size_t c = 0; c < classes.rows.size(); ++c) {
      Stream order = stream.child("class", c);
      shuffle(order, std::span(classes.rows[c]));
      std::size_t next = 0;
      for (std::size_t k = 0; k < taken[c].size(); ++k) {
        for (std::int64_t i = 0; i < taken[c][k]; ++i) {
          client_of_row[classes.rows[c][next++]] = static_cast<std::int32_t>(k);
        }
      }
    }
    return {shards_by_client(client_of_row, task.clients), {}};
  }

 private:
  std::vector<std::int64_t> draw(const ClassRows& classes, std::int64_t n, int clients,
                                 Stream& stream,
                                 std::vector<std::vector<std::int64_t>>& taken) const {
    std::vector<std::int64_t> held(static_cast<std::size_t>(clients), 0);
    const double even = static_cast<double>(n) / clients;
    taken.clear();
    for (const auto& rows : classes.rows) {
      std::vector<double> p = dirichlet(stream, held.size(), params_.alpha);
      if (params_.balance) suppress_full(p, held, even, stream);
      taken.push_back(cut_sizes(p, static_cast<std::int64_t>(rows.size())));
      for (std::size_t k = 0; k < held.size(); ++k) held[k] += taken.back()[k];
    }
    return held;
  }

  static void suppress_full(std::vector<double>& p, const std::vector<std::int64_t>& held,
                            double even, Stream& stream) {
    std::vector<std::uint32_t> open;
    double sum = 0;
    for (std::size_t k = 0; k < p.size(); ++k) {
      if (static_cast<double>(held[k]) >= even) {
        p[k] = 0;
      } else {
        open.push_back(static_cast<std::uint32_t>(k));
      }
      sum += p[k];
    }
    if (sum > 0) {
      for (double& x : p) x /= sum;
    } else {  // all the mass lay on full clients: one of the others, as in the limit of tiny alpha
      p[open[stream.below(static_cast<std::uint32_t>(open.size()))]] = 1;
    }
  }

  DirichletParams params_;
};

SKIFF_REGISTER(Partition, DirichletPartition, DirichletParams,
               {.name = "dirichlet",
                .summary = "each class is dealt over the clients by a Dirichlet draw",
                .paper = "Yurochkin et al. 2019, arXiv:1905.12022; Li et al. 2022 (NIID-Bench)",
                .verified = "mean and variance of the shares, disjoint, complete"});

}  // namespace
}  // namespace skiff
