extension Plan {
  /// Gives every buffer its place: kept buffers side by side, arena buffers by lifetime, the
  /// largest first, each in the smallest gap that holds it.
  mutating func placeBuffers(reuse: Bool) {
    for index in steps.indices {
      for buffer in steps[index].buffers {
        buffers[buffer].first = min(buffers[buffer].first, index)
        buffers[buffer].last = max(buffers[buffer].last, index)
      }
    }
    for index in buffers.indices where buffers[index].place == .kept {
      buffers[index].offset = keptBytes
      keptBytes += buffers[index].bytes
    }
    let arena = buffers.indices
      .filter { buffers[$0].place == .arena && buffers[$0].last >= 0 }
      .sorted { (buffers[$0].bytes, $1) > (buffers[$1].bytes, $0) }
    var placed: [Int] = []
    for index in arena {
      buffers[index].offset = gap(for: buffers[index], among: placed, reuse: reuse)
      arenaBytes = max(arenaBytes, buffers[index].offset + buffers[index].bytes)
      placed.append(index)
    }
  }

  private func gap(for buffer: Buffer, among placed: [Int], reuse: Bool) -> Int {
    let conflicts = placed.map { buffers[$0] }
      .filter { !reuse || ($0.first <= buffer.last && buffer.first <= $0.last) }
      .sorted { $0.offset < $1.offset }
    var end = 0
    var best: (offset: Int, size: Int)?
    for other in conflicts {
      let size = other.offset - end
      if size >= buffer.bytes, size < best?.size ?? .max { best = (end, size) }
      end = max(end, other.offset + other.bytes)
    }
    return best?.offset ?? end
  }
}
