// Graphs of the emulated runtime: what streams capture, and launch as a whole.
#include <algorithm>
#include <map>

#include "simt/streams.hpp"

namespace simt {
namespace {

thread_local std::vector<simt_graph*> captures;  ///< that this thread has begun and not ended

/// The graph gets events of its own, so that those of the capture may go.
void own_events(simt_graph_exec& exec) {
  std::map<simt_event*, simt_event*> own;
  for (auto& [op, branch] : exec.nodes) {
    if (!op.event) continue;
    if (!own[op.event]) own[op.event] = exec.events.emplace_back(std::make_unique<simt_event>()).get();
    op.event = own[op.event];
  }
}

}  // namespace

bool spoils_a_capture() {
  for (simt_graph* graph : captures) graph->spoilt = true;
  return !captures.empty();
}
std::size_t graph_nodes(cudaGraph_t graph) {
  return static_cast<std::size_t>(std::count_if(graph->nodes.begin(), graph->nodes.end(),
                                                [](const auto& n) { return n.op.kind == Operation::Kind::work; }));
}
std::size_t graph_depth(cudaGraph_t graph) {
  std::vector<std::size_t> depth(graph->branches.size(), 0);
  std::map<std::pair<simt_event*, std::uint64_t>, std::size_t> recorded;
  for (const auto& [op, branch] : graph->nodes) {
    if (op.kind == Operation::Kind::work) ++depth[branch];
    if (op.kind == Operation::Kind::record) recorded[{op.event, op.ticket}] = depth[branch];
    if (op.kind == Operation::Kind::wait) depth[branch] = std::max(depth[branch], recorded[{op.event, op.ticket}]);
  }
  return *std::max_element(depth.begin(), depth.end());
}

}  // namespace simt

using simt::device;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const auto lock = simt::alone();
  if (!stream || stream->capture) return simt::remember(cudaErrorStreamCaptureUnsupported);
  stream->capture = new simt_graph;
  stream->branch = 0;
  stream->capture->branches.push_back(stream);
  simt::captures.push_back(stream->capture);
  ++device().counters.captures;
  return cudaSuccess;
}
/// Every branch must have been waited for, at its end, by another one.
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const auto lock = simt::alone();
  *graph = stream->capture;
  if (!*graph) return simt::remember(cudaErrorInvalidValue);
  if (std::erase(simt::captures, *graph) == 0) return simt::remember(cudaErrorStreamCaptureWrongThread);
  for (simt_stream* s : (*graph)->branches) s->capture = nullptr;
  for (const auto& [op, branch] : (*graph)->nodes)
    if (op.event && op.event->captured_by == *graph) {
      op.event->captured_by = nullptr;
      op.event->captured = true;
    }
  if ((*graph)->spoilt) {
    delete std::exchange(*graph, nullptr);
    return simt::remember(cudaErrorStreamCaptureInvalidated);
  }
  const auto& nodes = (*graph)->nodes;
  for (std::size_t branch = 1; branch < (*graph)->branches.size(); ++branch) {
    const auto last = std::find_if(nodes.rbegin(), nodes.rend(), [&](const auto& n) { return n.branch == branch; });
    const bool joined =
        last->op.kind == simt::Operation::Kind::record && std::any_of(nodes.begin(), nodes.end(), [&](const auto& n) {
          return n.op.kind == simt::Operation::Kind::wait && n.branch != branch && n.op.event == last->op.event &&
                 n.op.ticket == last->op.ticket;
        });
    if (!joined) return simt::remember(cudaErrorStreamCaptureUnjoined);
  }
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const auto lock = simt::alone();
  *exec = new simt_graph_exec{graph->nodes, {}, {}};
  device().last_graph = {simt::graph_nodes(graph), simt::graph_depth(graph)};
  simt::own_events(**exec);
  for (std::size_t branch = 1; branch < graph->branches.size(); ++branch) {
    simt::enlist(*(*exec)->streams.emplace_back(std::make_unique<simt_stream>()));
    device().streams.back()->device = graph->branches[branch]->device;
  }
  return cudaSuccess;
}
/// Other arguments of the same work: the same kinds of operations on the same branches, in the same order.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* result) {
  const auto lock = simt::alone();
  const bool same = std::equal(exec->nodes.begin(), exec->nodes.end(), graph->nodes.begin(), graph->nodes.end(),
                               [](const auto& a, const auto& b) {
                                 return a.op.kind == b.op.kind && a.op.kernel == b.op.kernel && a.branch == b.branch;
                               });
  result->result = same ? 0 : 1;
  if (!same) return simt::remember(cudaErrorGraphExecUpdateFailure);
  simt::finish_all();
  exec->nodes = graph->nodes;
  exec->events.clear();
  simt::own_events(*exec);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const auto lock = simt::alone();
  ++device().counters.launches;
  std::map<std::pair<simt_event*, std::uint64_t>, std::uint64_t> tickets;  // of the capture: of this launch
  for (const auto& [captured, branch] : exec->nodes) {
    simt::Operation op = captured;
    if (op.kind == simt::Operation::Kind::record) op.ticket = tickets[{op.event, captured.ticket}] = ++op.event->recorded;
    if (op.kind == simt::Operation::Kind::wait) op.ticket = tickets.at({op.event, captured.ticket});
    simt::put(branch == 0 ? stream : exec->streams[branch - 1].get(), std::move(op));
  }
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const auto lock = simt::alone();
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const auto lock = simt::alone();
  simt::finish_all();
  for (const auto& own : exec->streams) simt::strike_off(*own);
  delete exec;
  return cudaSuccess;
}
