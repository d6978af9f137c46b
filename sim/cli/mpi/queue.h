// The runs of a sweep shared out over the ranks of an MPI world: rank 0 hands them out one by one,
// does some itself, and tells of all; who has nothing to do asks.
//
// Every rank reads the scenario and writes its runs' files itself, into a folder that all share.
// Small messages, polled a hundred times a second, so waiting costs no processor.
#pragma once

#include <boost/mpi/communicator.hpp>

#include "sim/cli/run_server.h"
#include "sim/cli/sweep.h"
#include "sim/cli/sweep_watch.h"

namespace skiff::cli {

// Rank 0: until every run of the sweep has ended. A rank from which nothing was heard for
// `patience` seconds counts as dead and its run is done again. Answers how many died.
std::size_t lead_queue(const boost::mpi::communicator& world, const Sweep& sweep, RunServer& server,
                       SweepWatch& watch, std::size_t threads, double patience);

// The other ranks: do what rank 0 says until it says that there is no more.
void follow_queue(const boost::mpi::communicator& world, RunServer& server, std::size_t threads);

}  // namespace skiff::cli
