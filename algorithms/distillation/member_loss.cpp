#include "algorithms/distillation/member_loss.h"

#include <algorithm>

#include "algorithms/kernels/exp_double.h"

namespace skiff::distillation {

MemberLoss::MemberLoss(const Said& said, std::span<const float> teacher,
                       std::span<const double> gaps, std::span<const std::uint32_t> rows)
    : said_(said), teacher_(teacher), gaps_(gaps) {
  for (std::size_t i = 0; i < rows.size(); ++i) place_[rows[i]] = i;
}

Weight MemberLoss::weight(std::size_t entry) const {
  return weight_of(gaps_[entry], said_.eta, said_.all, entry % outputs());
}

std::size_t MemberLoss::first(int i) const {
  return place_.at(rows_[static_cast<std::size_t>(i)]) * outputs();
}

namespace {

class Regression final : public MemberLoss {
 public:
  Regression(const Said& said, std::span<const float> teacher, std::span<const double> gaps,
             std::span<const std::uint32_t> rows, double push)
      : MemberLoss(said, teacher, gaps, rows), weights_(gaps.size()), targets_(gaps.size()) {
    for (std::size_t e = 0; e < gaps.size(); ++e) {
      weights_[e] = scaled(weight(e).both());
      targets_[e] = target_of(teacher[e], gaps[e], said.eta, push, said.all, e % outputs());
    }
  }
  double operator()(kernels::MatrixView f) const override {
    double sum = 0;
    for (int i = 0; i < f.rows; ++i) {
      const std::size_t at = first(i);
      for (std::size_t j = 0; j < outputs(); ++j) {
        const double gap = double(f[i][j]) - targets_[at + j], w = weights_[at + j];
        sum += w * gap * gap / 2 * share(f.rows);
        f[i][j] = static_cast<float>(w * gap * share(f.rows));
      }
    }
    return sum;
  }

 private:
  std::vector<double> weights_, targets_;
};

class LogBarrier final : public MemberLoss {
 public:
  using MemberLoss::MemberLoss;
  double operator()(kernels::MatrixView f) const override {
    constexpr double kLeast = 0.1;  // of 1 + s l / 2G
    const double wide = 2 * said_.limit;
    double sum = 0;
    for (int i = 0; i < f.rows; ++i) {
      for (std::size_t j = 0; j < outputs(); ++j) {
        const std::size_t e = first(i) + j;
        const Weight k = weight(e);
        const double l = double(f[i][j]) - double(teacher_[e]);
        double value = l * l / 2, slope = l;
        if (wide > 0 && k.tilt() != 0) {
          const double side = k.tilt() > 0 ? 1 : -1, u = 1 + side * l / wide;
          const double inside = std::max(u, kLeast), beyond = u - inside;
          value -= wide * wide / 4 * (kernels::log_double(inside) + beyond / inside);
          slope -= wide / 4 * side / inside;
        }
        const double w = scaled(k.both()) * share(f.rows);
        sum += w * value;
        f[i][j] = static_cast<float>(w * slope);
      }
    }
    return sum;
  }
};

class EdgeHinge final : public MemberLoss {
 public:
  using MemberLoss::MemberLoss;
  double operator()(kernels::MatrixView f) const override {
    std::vector<double> edge(outputs());  // means over the batch
    for (int i = 0; i < f.rows; ++i) {
      for (std::size_t j = 0; j < outputs(); ++j) {
        const std::size_t e = first(i) + j;
        edge[j] += scaled(weight(e).tilt()) * (double(f[i][j]) - double(teacher_[e])) / f.rows;
      }
    }
    double sum = 0;
    for (const double x : edge) {
      sum += said_.limit * std::max(0.0, -x) / static_cast<double>(outputs());
    }
    for (int i = 0; i < f.rows; ++i) {
      for (std::size_t j = 0; j < outputs(); ++j) {
        const std::size_t e = first(i) + j;
        const Weight k = weight(e);
        const double l = double(f[i][j]) - double(teacher_[e]);
        const double hinge = edge[j] < 0 ? said_.limit * k.tilt() : 0;
        sum += scaled(k.both()) * l * l / 2 * share(f.rows);
        f[i][j] = static_cast<float>(scaled(k.both() * l - hinge) * share(f.rows));
      }
    }
    return sum;
  }
};

}  // namespace

std::unique_ptr<MemberLoss> member_loss(const std::string& name, const Said& said,
                                        std::span<const float> teacher,
                                        std::span<const double> gaps,
                                        std::span<const std::uint32_t> rows, double push) {
  if (name == "log-barrier") return std::make_unique<LogBarrier>(said, teacher, gaps, rows);
  if (name == "edge-hinge") return std::make_unique<EdgeHinge>(said, teacher, gaps, rows);
  return std::make_unique<Regression>(said, teacher, gaps, rows, push);
}

}  // namespace skiff::distillation
