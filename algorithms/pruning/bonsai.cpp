// Bonsai: which units matter is learned from the losses of sub-models; no gradient is ever taken.
// Dery, Kolawole, Kagey, Smith, Neubig and Talwalkar 2024, "Everybody prune now: structured pruning
// of LLMs with only forward passes" (arXiv:2402.05406). The experiment: bonsai_design.h.
//
// In rounds, until the sparsity is reached: a prior from the reading layers' inputs,
//   wanda   rho_k = mean_o |W_ok| sqrt(mean x_k^2), averaged over a head's columns
//   random  U(0, 1)
// then `sub_models` evaluations of the calibration's loss, a regression, and the units of the
// lowest coefficients go, `step` of the units' weights a round. What stays is smaller and faster:
// units are really cut out (units.h). Memory while it prunes: that of evaluation, and a copy of the
// weights.
//
// selection: module  every module gives its share, floor(p n) units by the end: the size is known
//                    before anything runs (the paper's local rule)
//            global  all units compete, up to the quota (the paper's default): sizes come from the
//                    data, and shape() is a bound: nothing removed

#include <algorithm>
#include <cmath>

#include "algorithms/pruning/bonsai_design.h"
#include "algorithms/pruning/cut_layers.h"
#include "algorithms/pruning/cut_params.h"
#include "sim/core/registry.h"

namespace skiff {
namespace {

struct BonsaiParams : Removal {
  int head_width = 0;
  std::string prior = "wanda", sampling = "stratified", selection = "module";
  double step = 0.05, eligible = 2;
  int sub_models = 200;
};

}  // namespace

template <>
Schema<BonsaiParams> schema() {
  using P = BonsaiParams;
  Schema<P> s;
  add_removal(s, {"channel", "head", "channel-and-head"});
  s.field("head_width", &P::head_width,
          "structures with heads: rows of one head of keys; 0 where none are cut")
      .in(0, 65536);
  s.field("prior", &P::prior, "what units are ranked by before any sub-model is tried")
      .one_of({"wanda", "random"});
  s.field("sampling", &P::sampling, "a sub-model's units are drawn by module, or from all")
      .one_of({"stratified", "pooled"});
  s.field("selection", &P::selection, "units compete within their module, or all of them")
      .one_of({"module", "global"});
  s.field("step", &P::step, "share that goes in a round").fraction(0.001, 1);
  s.field("eligible", &P::eligible, "units tried for each that goes").in(1, 100);
  s.field("sub_models", &P::sub_models, "evaluated in a round; 0: the prior decides").in(0, 1e6);
  s.check(pruning::check_head_width<P>);
  s.check([](const P& p, const Node& map, Reader& reader) {
    const bool idle = p.sub_models == 0;
    const P defaults;
    refuse_idle(idle && p.sampling != defaults.sampling, "sampling", "sub_models > 0", map, reader);
    refuse_idle(idle && p.eligible != defaults.eligible, "eligible", "sub_models > 0", map, reader);
  });
  return s;
}

namespace {

using pruning::Mask;
using pruning::UnitGroup;

// One call of compress().
class Pruning {
 public:
  Pruning(const BonsaiParams& p, const Calibration& calibration, const Vector& weights,
          std::vector<UnitGroup> groups, const Stream& stream)
      : p_(p),
        calibration_(calibration),
        weights_(weights),
        groups_(std::move(groups)),
        stream_(stream) {
    for (const UnitGroup& g : groups_) removed_.emplace_back(static_cast<std::size_t>(g.count));
  }

  pruning::Units run() {
    const int rounds = static_cast<int>(pruning::ceil_share(1, p_.sparsity / p_.step));
    for (int r = 0; r < rounds; ++r) {
      const double reached = std::min(p_.sparsity, p_.step * (r + 1));
      if (!round(r, reached - p_.step * r, reached)) break;
    }
    return removed_;
  }

 private:
  // `rate`: share of this round; `reached`: of all rounds so far. False: nothing could go.
  bool round(int r, double rate, double reached) {
    const Stream stream = stream_.child("bonsai.round", static_cast<std::uint64_t>(r));
    std::vector<std::vector<double>> ranks = prior(stream);
    std::vector<pruning::Eligible> modules;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      // Below half of the units twice the share of what is left is less than what must go.
      const std::int64_t due = module_quota(groups_[g], reached) - pruning::count(removed_[g]);
      modules.push_back(pruning::eligible(ranks[g], alive(g), rate, p_.eligible,
                                          std::max<std::int64_t>(2, due + 1)));
    }
    if (p_.sub_models == 0) return remove(by_prior(modules, ranks), modules, reached);
    const std::vector<Mask> masks = pruning::sub_models(
        modules, p_.sub_models, p_.sampling == "pooled", stream.child("sub-models"));
    std::vector<double> utilities;
    for (const Mask& mask : masks) utilities.push_back(-loss_of(mask, modules));
    return remove(pruning::cross_validated_ridge(masks, utilities), modules, reached);
  }

  Mask alive(std::size_t g) const {
    Mask alive = removed_[g];
    for (std::uint8_t& u : alive) u = u != 0 ? 0 : 1;
    return alive;
  }

  std::vector<std::vector<double>> prior(const Stream& stream) const {
    std::vector<std::vector<double>> ranks;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const UnitGroup& group = groups_[g];
      if (p_.prior == "random") {
        Stream draws = stream.child("prior", g);
        ranks.emplace_back();
        for (int u = 0; u < group.count; ++u) ranks.back().push_back(draws.uniform());
        continue;
      }
      const InputStatistics inputs =
          calibration_.inputs(weights_, calibration_.group_of(group.reader));
      const Slice& s = weights_.layout->slices[group.reader];
      std::vector<float> w(s.size());
      to_row_major(s, std::span(weights_.values).subspan(s.offset, s.size()), w);
      const pruning::Layer layer{s.name, s.rows, s.cols, {w.begin(), w.end()}, &inputs};
      std::vector<double> columns = pruning::wanda_columns(layer);
      const double scale =
          1 / (std::sqrt(static_cast<double>(inputs.count)) * s.rows * group.reader_width());
      for (double& c : columns) c *= scale;
      ranks.push_back(pruning::by_unit(columns, group));
    }
    return ranks;
  }

  static std::vector<double> by_prior(const std::vector<pruning::Eligible>& modules,
                                      const std::vector<std::vector<double>>& ranks) {
    std::vector<double> beta;
    for (std::size_t g = 0; g < modules.size(); ++g) {
      for (const int u : modules[g].units) beta.push_back(ranks[g][static_cast<std::size_t>(u)]);
    }
    return beta;
  }

  double loss_of(const Mask& mask, const std::vector<pruning::Eligible>& modules) const {
    Vector tried = weights_;
    std::size_t at = 0;
    for (std::size_t g = 0; g < modules.size(); ++g) {
      Mask off(static_cast<std::size_t>(groups_[g].count));
      for (const int u : modules[g].units)
        off[static_cast<std::size_t>(u)] = mask[at++] != 0 ? 0 : 1;
      pruning::silence(tried, groups_[g], off);
    }
    const double loss = calibration_.loss(tried);
    return std::isfinite(loss) ? std::min(loss, kMostLoss) : kMostLoss;
  }

  struct Candidate {
    double beta;
    std::size_t group;
    int unit;
  };

  bool remove(const std::vector<double>& beta, const std::vector<pruning::Eligible>& modules,
              double reached) {
    std::vector<Candidate> order;
    std::size_t at = 0;
    for (std::size_t g = 0; g < modules.size(); ++g) {
      for (const int u : modules[g].units) order.push_back({beta[at++], g, u});
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const Candidate& a, const Candidate& b) { return a.beta < b.beta; });
    bool any = false;
    for (const Candidate& c : order) {
      const std::int64_t gone = pruning::count(removed_[c.group]);
      if (p_.selection == "module") {
        if (gone >= module_quota(groups_[c.group], reached)) continue;
      } else {
        const std::int64_t next = parameters_gone() + groups_[c.group].parameters;
        if (next > pruning::floor_share(pruning::unit_parameters(groups_), reached)) break;
        if (gone + 1 == groups_[c.group].count) continue;
      }
      removed_[c.group][static_cast<std::size_t>(c.unit)] = 1;
      any = true;
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      pruning::silence(weights_, groups_[g], removed_[g]);
    }
    return any || p_.selection == "module";
  }

  std::int64_t parameters_gone() const {
    std::int64_t gone = 0;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      gone += pruning::count(removed_[g]) * groups_[g].parameters;
    }
    return gone;
  }

 public:
  static std::int64_t module_quota(const UnitGroup& group, double share) {
    return std::min<std::int64_t>(group.count - 1, pruning::floor_share(group.count, share));
  }

 private:
  static constexpr double kMostLoss = 18.420680743952367;  // log(1e8): the paper caps perplexity

  const BonsaiParams& p_;
  const Calibration& calibration_;
  Vector weights_;
  std::vector<UnitGroup> groups_;
  Stream stream_;
  pruning::Units removed_;
};

class Bonsai final : public Compressor {
 public:
  explicit Bonsai(const BonsaiParams& p) : p_(p) {}

  void compress(Model& model, const Calibration* calibration, State& memory,
                Stream stream) const override {
    const std::vector<UnitGroup> groups = pruning::unit_groups(*model.layout, p_, p_.head_width);
    const auto key = [](const UnitGroup& g) { return "units." + g.name; };
    if (!memory.has(key(groups.front()))) {
      pruning::require_calibration(calibration, "bonsai");
      const pruning::Units removed =
          Pruning(p_, *calibration, pruning::finite_weights(model), groups, stream).run();
      for (std::size_t g = 0; g < groups.size(); ++g) {
        std::copy(removed[g].begin(), removed[g].end(),
                  memory.array<std::uint8_t>(key(groups[g]), removed[g].size()).begin());
      }
    }
    pruning::Units removed;
    for (const UnitGroup& g : groups) {
      const auto kept = memory.array<std::uint8_t>(key(g), static_cast<std::size_t>(g.count));
      removed.emplace_back(kept.begin(), kept.end());
    }
    pruning::cut(model, groups, removed);
  }

  Shape shape(const Shape& before) const override {
    const std::vector<UnitGroup> groups = pruning::unit_groups(*before.layout, p_, p_.head_width);
    if (size_depends_on_data()) return before;
    std::vector<std::int64_t> counts;
    for (const UnitGroup& g : groups) counts.push_back(Pruning::module_quota(g, p_.sparsity));
    return pruning::cut_shape(before, groups, counts);
  }

  // The regressions; the evaluations are the caller's to count: rounds x (sub_models + priors).
  Cost cost(const Shape& before) const override {
    double units = 0;
    for (const UnitGroup& g : pruning::unit_groups(*before.layout, p_, p_.head_width)) {
      units += std::min<double>(g.count, g.count * p_.eligible * p_.step + 1);
    }
    const double rounds = std::max(1.0, p_.sparsity / p_.step), n = p_.sub_models;
    Cost cost;
    cost.fp32 = Flops(rounds * (n * n * n + 25 * n * n * units + units));
    cost.steps = static_cast<std::int64_t>(rounds * (n + 1));
    cost.dram = before.stored * cost.steps;  // each evaluation silences units in a copy
    cost.memory.weights = before.stored * 2;
    cost.memory.scratch = Bytes(static_cast<std::int64_t>(8 * n * (units + 2 * n)));
    return cost;
  }
  bool changes_shapes() const override { return true; }
  bool size_depends_on_data() const override { return p_.selection == "global"; }
  bool needs_calibration() const override { return true; }
  bool removes_weights() const override { return true; }

 private:
  BonsaiParams p_;
};

SKIFF_REGISTER(Compressor, Bonsai, BonsaiParams,
               {.name = "bonsai",
                .summary = "modules scored by forward passes",
                .paper = "Dery et al. 2024, arXiv:2402.05406",
                .family = "pruning",
                .verified = "recovers the importances of an additive utility; the cut model "
                            "computes what the masked one does; beats its prior and chance on "
                            "trained networks",
                .deviates = "utility is -loss instead of -perplexity; ridge regression in closed "
                            "form instead of Adam with an l1 penalty; units are given up module by "
                            "module unless selection: global; one unit of a module always stays; "
                            "the prior of mean |activation| is left out"});

}  // namespace
}  // namespace skiff
