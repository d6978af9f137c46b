// Distillation: a method whose rounds teach models by what others answer instead of by labels.
//
// `compression.distillation` takes the method's seat: the model of the scenario is the student.
// Immutable, thread-safe.
#pragma once

#include "algorithms/federated_method.h"

namespace skiff {

class Distillation : public FederatedMethod {
 public:
  static constexpr const char* kRole = "distillation";
  static constexpr const char* kKey = "name";

  // Adds to the composition, whose models[0] is the student, the models that it needs beside it,
  // after checking that its plans can be taught. Called once, before anything runs. Throws
  // std::invalid_argument with a plain reason.
  virtual void join(Composition& composition) const = 0;
  // Plans may train models of different architectures: what is averaged is not weights alone.
  virtual bool mixes_models() const { return false; }
};

}  // namespace skiff
