/// Words that the language fixes and that may not have a kind yet: using one says "not supported
/// yet" and never "unknown". The catalogs are asked first, so a word that gets its kind needs no
/// change here.
enum Planned {
  static let layers = [
    "dense", "conv", "conv_transpose", "scale", "batch_norm", "layer_norm", "rms_norm",
    "instance_norm", "group_norm", "centre_norm", "embedding", "rnn", "lstm", "gru", "attention",
    "relu", "leaky_relu", "prelu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish",
    "softplus", "tanh", "sigmoid", "hard_sigmoid", "hard_swish", "softsign", "sin", "abs",
    "softmax", "log_softmax", "group_sort", "householder", "crelu",
    "flatten", "reshape", "permute", "average_pool", "max_pool", "global_average_pool",
    "global_max_pool", "l2_pool", "pixel_unshuffle", "pixel_shuffle", "upsample", "pad", "crop",
    "dropout", "parallel", "concat", "add", "sll",
  ]
  static let constraints = [
    "spectral", "spectral_after_update", "project", "frobenius", "frobenius_project",
    "weight_norm", "clip", "orthogonal", "almost_orthogonal",
  ]
  static let losses = [
    "cross_entropy", "multi_margin", "hinge", "hinge_kr", "kr", "mse", "mae", "sgan", "f_gan",
    "wgan", "wgan_gp", "wgan_div", "ls_gan", "gls_gan", "gan_qp", "hinge_gan", "least_squares_gan",
    "relativistic",
  ]
  static let optimizers = ["sgd", "adam", "adamw", "rmsprop"]
  static let datasets = ["idx", "csv", "npy", "image_folder", "synthetic", "fashion_mnist"]

  static let topLevelKeys = ["extends", "vars", "report"]
}
