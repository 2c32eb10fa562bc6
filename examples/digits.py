"""scikit-learn's handwritten digits, learnt by an MLP and by a small CNN of the reference alone.

Run: python examples/digits.py (scikit-learn must be installed; about five seconds).
"""

import numpy as np
from sklearn.datasets import load_digits

from reference.blocks import (
    activation_block,
    batch_norm_block,
    chain,
    conv_block,
    dense_block,
    dropout_block,
    flatten_block,
    inception_block,
    max_pool_block,
    predict,
    residual_block,
)
from reference.losses import accuracy, predict_label
from reference.optimizers import cosine_lr
from reference.preprocessing import train_validation_test_split
from reference.training import confusion_matrix, fit


def data(seed=0):
    """Return images (n, 1, 8, 8) in [0, 1] and labels, as pairs for training, validation and test."""
    digits = load_digits()
    images = digits.images[:, None] / 16
    split = train_validation_test_split(len(images), np.random.default_rng(seed), validation=0.15, test=0.2)
    return tuple((images[part], digits.target[part]) for part in split)


def mlp(generator):
    """Hidden layers of 96 and 32 units with ReLU; batch norm and dropout at the first."""
    return chain(
        dense_block(64, 96, generator, bias=False),
        batch_norm_block(96),
        activation_block("relu"),
        dropout_block(p=0.2),
        dense_block(96, 32, generator),
        activation_block("relu"),
        dense_block(32, 10, generator),
    )


def cnn(generator):
    """Convolution, pooling, a residual block, an inception module, pooling, dropout, 10 logits."""
    return chain(
        conv_block(1, 12, generator, padding=1, bias=False),
        batch_norm_block(12),
        activation_block("relu"),
        max_pool_block(),
        residual_block(
            chain(
                conv_block(12, 12, generator, padding=1, bias=False),
                batch_norm_block(12),
                activation_block("relu"),
                conv_block(12, 12, generator, padding=1, bias=False),
                batch_norm_block(12),
            )
        ),
        activation_block("relu"),
        inception_block(12, generator, ch1x1=8, ch3x3red=8, ch3x3=16, ch5x5red=4, ch5x5=8, pool_proj=8),
        max_pool_block(),
        flatten_block(),
        dropout_block(p=0.2),
        dense_block(160, 10, generator),
    )


def flat(pair):
    """Return images as rows."""
    images, labels = pair
    return images.reshape(len(images), -1), labels


def trained(network, train, validation, generator, *, epochs, lr):
    """Fit with Adam, a cosine schedule and a small penalty; keep the weights of the best epoch."""
    steps = epochs * -(-len(train[0]) // 64)
    return fit(
        network,
        *train,
        generator,
        lr=lambda step: cosine_lr(step, lr=lr, T_max=steps + 1),
        epochs=epochs,
        batch_size=64,
        optimizer="adam",
        l2=1e-4,
        validation=validation,
        patience=epochs,
    )


def main():
    parts = data()
    for name, network, pairs, epochs, lr in (
        ("MLP", mlp, [flat(part) for part in parts], 20, 0.005),
        ("CNN", cnn, parts, 14, 0.01),
    ):
        generator = np.random.default_rng(1)
        train, validation, (x, labels) = pairs
        fitted = trained(network(generator), train, validation, generator, epochs=epochs, lr=lr)
        logits = predict(fitted.network, x)
        print(
            f"{name}: best epoch {fitted.epoch + 1} of {len(fitted.history)}, accuracy {accuracy(logits, labels):.4f}"
        )
        print(confusion_matrix(labels, predict_label(logits), num_classes=10))


if __name__ == "__main__":
    main()
