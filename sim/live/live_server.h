// Serves the page that shows a run, or a sweep, while it lasts, on this machine alone unless told
// otherwise.
//
// One thread of its own; publish() only appends to a bounded list, so nobody who watches, slowly or
// with ill intent, can hold the run up or change it. Who falls behind misses events; each has a
// number, and a page that reconnects goes on where it was (server-sent events, Last-Event-ID).
// Requests for another host's name are refused (DNS rebinding), and so is anything but GET.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace skiff {

enum class LivePage { kRun, kSweep };

class LiveServer {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // "0.0.0.0": everybody who reaches this machine
    std::uint16_t port = 0;             // 0: any free one
  };
  // Throws RunError if it cannot listen there.
  explicit LiveServer(const Options& options, LivePage page = LivePage::kRun);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  std::string url() const;  // "http://127.0.0.1:8080/"
  // `kind` is the event's name for the page, `json` one line. Any thread.
  void publish(const std::string& kind, const std::string& json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skiff
