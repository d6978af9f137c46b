// Quantity skew: samples at random, sizes unequal. With alpha, sizes follow p ~ Dir_K(alpha)
// (Li et al. 2022, NIID-Bench), drawn again until every client holds min_samples; with sigma, they
// are proportional to LogNormal(ln(n / K), sigma), and who falls short gets min_samples: among a
// million clients some would be short in every draw.
#include "algorithms/data/assignment.h"
#include "sim/core/distributions.h"

namespace skiff {
namespace {
struct QuantityParams {
  std::optional<double> alpha;
  std::optional<double> sigma;
  int min_samples = 1;
};
}  // namespace

template <>
Schema<QuantityParams> schema() {
  Schema<QuantityParams> s;
  s.field("alpha", &QuantityParams::alpha, "sizes by a Dirichlet draw of this concentration")
      .above(0);
  s.field("sigma", &QuantityParams::sigma, "sizes by a lognormal law of this sigma").in(0, 10);
  s.field("min_samples", &QuantityParams::min_samples, "every client holds that many or more")
      .at_least(1);
  s.check([](const QuantityParams& p, const Node& map, Reader& reader) {
    if (p.alpha.has_value() == p.sigma.has_value()) {
      reader.problem(map.where, "quantity needs one of alpha (Dirichlet) and sigma (lognormal)");
    }
  });
  return s;
}

namespace {

class Quantity final : public Partition {
 public:
  explicit Quantity(const QuantityParams& params) : params_(params) {}

  PartitionResult split(const PartitionTask& task, Stream stream) const override {
    const auto n = static_cast<std::int64_t>(task.labels.size());
    Stream order = stream.child("order");
    return {shuffled_blocks(n, sizes(n, task.clients, stream), order), {}};
  }

  std::vector<std::int64_t> sizes(std::int64_t n, int clients, Stream stream) const override {
    require_clients(n, clients);
    if (params_.sigma) {
      Stream law = stream.child("draw");
      return lognormal_sizes(n, clients, *params_.sigma, params_.min_samples, law);
    }
    return draw_sizes(
        [&](Stream& trial) {
          return cut_sizes(dirichlet(trial, static_cast<std::size_t>(clients), *params_.alpha), n);
        },
        stream, params_.min_samples,
        "write a larger alpha, a smaller min_samples or fewer clients");
  }

 private:
  QuantityParams params_;
};

SKIFF_REGISTER(Partition, Quantity, QuantityParams,
               {.name = "quantity",
                .summary = "samples at random, sizes by a Dirichlet (alpha) or lognormal (sigma) "
                           "law",
                .paper = "Li et al. 2022 (NIID-Bench), arXiv:2102.02079, section IV",
                .verified = "disjoint, complete, mean and variance of the sizes"});

}  // namespace
}  // namespace skiff
