import Glibc
import Model
import Tensors

/// The slots that a `BatchPipeline`'s thread fills and its owner empties.
final class BatchWorker: @unchecked Sendable {
  private let samples: Samples
  private let scaling: InputScaling
  private let augmentation: BatchAugmentation?
  private let order: BatchPipeline.Order
  private let batch: Int
  private let batchesPerEpoch: Int
  /// The batches made: of steps `first` to `total` − 1.
  private let first: Int
  private let total: Int
  private let recorder = SpanRecorder.current

  /// Batches held. The thread sleeps until half of them are used and then fills them all: it runs
  /// on a core that the step needs, and each time it wakes it costs the step a switch.
  private let slots: Int
  private let x: [UnsafeMutableBufferPointer<Float>]
  private let labels: [UnsafeMutableBufferPointer<Float>]
  private var counts: [Int]

  /// Elements of a batch up to which eight of them are held: 4 MiB each.
  private static let smallBatch = 1 << 20

  // Under the lock: the step whose batch is made and used next, and whether to stop.
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var made: Int
  private var used: Int
  private var isStopped = false

  /// How many batches of `size` numbers are prepared ahead.
  static func slots(_ size: Int) -> Int { size <= smallBatch ? 8 : 2 }

  init(
    _ samples: Samples, _ scaling: InputScaling, _ augmentation: BatchAugmentation?,
    _ batch: Int, _ order: BatchPipeline.Order, perEpoch: Int, from first: Int = 0, total: Int
  ) {
    self.samples = samples
    self.scaling = scaling
    self.augmentation = augmentation
    self.batch = batch
    self.order = order
    self.first = first
    self.total = total
    made = first
    used = first
    batchesPerEpoch = perEpoch
    let size = batch * samples.shape.elementCount
    slots = Self.slots(size)
    counts = [Int](repeating: 0, count: slots)
    x = (0..<slots).map { _ in .allocate(capacity: size) }
    labels = (0..<slots).map { _ in .allocate(capacity: batch * samples.labelSize) }
    for buffer in x + labels { buffer.initialize(repeating: 0) }
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(changed)
    lock.deallocate()
    changed.deallocate()
    for buffer in x + labels { buffer.deallocate() }
  }

  // MARK: the owner's side

  func waitForNext() -> BatchPipeline.Batch? {
    guard used < total else { return nil }
    pthread_mutex_lock(lock)
    while made <= used { pthread_cond_wait(changed, lock) }
    pthread_mutex_unlock(lock)
    let slot = used % slots
    return BatchPipeline.Batch(
      x: UnsafeBufferPointer(x[slot]), labels: UnsafeBufferPointer(labels[slot]),
      count: counts[slot])
  }

  func release() {
    pthread_mutex_lock(lock)
    used += 1
    if made - used <= slots / 2 { pthread_cond_signal(changed) }
    pthread_mutex_unlock(lock)
  }

  func stop() {
    pthread_mutex_lock(lock)
    isStopped = true
    pthread_cond_signal(changed)
    pthread_mutex_unlock(lock)
  }

  // MARK: the thread's side

  func work() {
    var permutation: [Int32] = []
    let thread = recorder?.newThread("batches") ?? 0
    for step in stride(from: first, to: total, by: 1) {
      if step == first || step % batchesPerEpoch == 0, case .shuffled(let seed) = order {
        permutation = Self.order(seed: seed, epoch: step / batchesPerEpoch, count: samples.count)
      }
      pthread_mutex_lock(lock)
      while made - used >= slots && !isStopped { pthread_cond_wait(changed, lock) }
      let mustStop = isStopped
      pthread_mutex_unlock(lock)
      if mustStop { return }

      let start = recorder == nil ? 0 : Clock.nanoseconds
      prepare(step % batchesPerEpoch, permutation, slot: step % slots)
      augmentation?.apply(to: x[step % slots].baseAddress!, step: step, count: batch)
      recorder?.add("batch prepared", thread: thread, from: start, to: Clock.nanoseconds)

      pthread_mutex_lock(lock)
      made += 1
      pthread_cond_signal(changed)
      pthread_mutex_unlock(lock)
    }
  }

  private func prepare(_ index: Int, _ permutation: [Int32], slot: Int) {
    let start = index * batch
    let count = min(batch, samples.count - start)
    let indices = (start..<start + count).lazy.map {
      permutation.isEmpty ? $0 : Int(permutation[$0])
    }
    counts[slot] = count
    scaling.fill(x[slot].baseAddress!, with: samples, at: indices)
    copyLabels(indices, to: labels[slot])
    if count < batch {
      x[slot][(count * samples.shape.elementCount)...].update(repeating: 0)
      labels[slot][(count * samples.labelSize)...].update(repeating: 0)
    }
  }

  private func copyLabels(
    _ indices: some Sequence<Int>, to target: UnsafeMutableBufferPointer<Float>
  ) {
    let size = samples.labelSize
    for (row, index) in indices.enumerated() {
      switch samples.labelKind {
      case .classes: target[row] = Float(samples.labels[index])
      case .targets:
        for element in 0..<size {
          target[row * size + element] = samples.targets[index * size + element]
        }
      }
    }
  }

  /// The order of epoch `epoch`, from 0.
  static func order(seed: UInt64, epoch: Int, count: Int) -> [Int32] {
    var generator = PhiloxGenerator(seed: seed, stream: "shuffle.\(epoch)")
    return generator.permutation(of: count)
  }
}
