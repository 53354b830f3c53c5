import Glibc
import Model
import Tensors

/// Batches in the order of training or evaluation, prepared by a thread of their own while the
/// engine computes.
///
/// Training: batch s of step s; each epoch of ⌊N/B⌋ batches has its own order, and the N mod B
/// samples that are last in it are left out. Evaluation: ⌈N/B⌉ batches in the file's order, the
/// last one filled up with zeros.
public final class BatchPipeline {
  public enum Order: Sendable {
    /// Epoch e in the order that (seed, "shuffle", e) gives.
    case shuffled(seed: UInt64)
    case asStored
  }

  /// One batch: its inputs [B, …], its labels ([B] class numbers or [B, …] targets), and how many
  /// of the B samples are real.
  public struct Batch {
    public let x: UnsafeBufferPointer<Float>
    public let labels: UnsafeBufferPointer<Float>
    public let count: Int
  }

  private let worker: BatchWorker
  private var thread = pthread_t()

  /// Batches for training, augmented: those of steps `first` to `total` − 1, whatever was trained before.
  public static func training(
    _ samples: Samples, _ scaling: InputScaling, _ changes: BatchAugmentation? = nil, batch: Int,
    order: Order, from first: Int = 0, total: Int
  ) -> BatchPipeline {
    BatchPipeline(
      BatchWorker(
        samples, scaling, changes, batch, order, perEpoch: samples.count / batch, from: first,
        total: total))
  }

  /// One pass over all samples.
  public static func evaluation(
    _ samples: Samples, _ scaling: InputScaling, batch: Int
  ) -> BatchPipeline {
    let count = (samples.count + batch - 1) / batch
    return BatchPipeline(
      BatchWorker(samples, scaling, nil, batch, .asStored, perEpoch: count, total: count))
  }

  private init(_ worker: BatchWorker) {
    self.worker = worker
    let status = pthread_create(
      &thread, nil, runBatchWorker, Unmanaged.passRetained(worker).toOpaque())
    precondition(status == 0, "no thread for the batches: error \(status)")
  }

  deinit {
    worker.stop()
    pthread_join(thread, nil)
  }

  /// Hands the next batch to `body`; its memory is used again when `body` has returned. nil: all
  /// batches are used up.
  public func withNext<Result, Failure: Error>(
    _ body: (Batch) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    guard let batch = SpanRecorder.span("waiting for a batch", worker.waitForNext) else {
      return nil
    }
    defer { worker.release() }
    return try body(batch)
  }
}

/// The C entry point. A global function: a closure could be taken to belong to the main actor.
private func runBatchWorker(_ worker: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  Unmanaged<BatchWorker>.fromOpaque(worker!).takeRetainedValue().work()
  return nil
}
