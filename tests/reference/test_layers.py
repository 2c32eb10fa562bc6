"""Layers and networks: against PyTorch, against differences, against each other, and on other arithmetics."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.harness.arithmetic import bounded_kind, exact_kind, lift, rounded_kind
from reference import activations, blocks, layers, losses, networks
from reference._types import Array
from reference.convolution import n_parameters
from reference.differences import gradient_check
from reference.layers import Activation, InceptionParams
from reference.networks import Head, Layer, MlpCache

RNG = np.random.default_rng(23)
NAMES = get_args(Activation)
WIDTHS = (4, 5, 2, 6, 3)
LAYERS = tuple(Layer(RNG.standard_normal((d, e)) / 2, RNG.standard_normal(e)) for d, e in itertools.pairwise(WIDTHS))
X, G = RNG.standard_normal((7, 4)), RNG.standard_normal((7, 3))
IMAGES = RNG.standard_normal((2, 3, 5, 4))
SIZES: dict[str, Any] = {"ch1x1": 2, "ch3x3red": 4, "ch3x3": 3, "ch5x5red": 2, "ch5x5": 5, "pool_proj": 1}
PARAMS = InceptionParams(
    *(
        RNG.standard_normal(shape) / 2
        for shape in ((2, 3), 2, (4, 3), 4, (3, 4, 3, 3), 3, (2, 3), 2, (5, 2, 5, 5), 5, (1, 3), 1)
    )
)
ABOVE = RNG.standard_normal((2, 11, 5, 4))
UNIT = (RNG.standard_normal((4, 3)), RNG.standard_normal((3, 5)), RNG.standard_normal((5, 3)))


def leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, tuple) else [value]


def assert_near(got: Any, expected: Any, relative: float = 1e-13) -> None:
    assert len(leaves(got)) == len(leaves(expected))
    for one, two in zip(leaves(got), leaves(expected), strict=True):
        two = np.asarray(two.detach() if hasattr(two, "detach") else two)
        assert one.shape == two.shape
        np.testing.assert_allclose(one, two, rtol=0, atol=relative * max(1e-300, np.abs(two).max(initial=0)))


def torch_() -> Any:
    return pytest.importorskip("torch", reason="PyTorch is the other witness; pip install gradproof[torch]")


def tensors(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(tensors(part) for part in value)
    return torch_().tensor(value, requires_grad=True)


# ---------------------------------------------------------------- shapes and shortcuts


def test_flatten_keeps_the_order_and_its_vjp_brings_it_back() -> None:
    rows = layers.flatten(IMAGES)

    assert rows.shape == (2, 60)
    np.testing.assert_array_equal(rows, torch_().tensor(IMAGES).flatten(1).numpy())
    np.testing.assert_array_equal(layers.flatten_vjp(IMAGES, rows), IMAGES)
    np.testing.assert_array_equal(
        layers.flatten(IMAGES.transpose(0, 2, 3, 1)), IMAGES.transpose(0, 2, 3, 1).reshape(2, -1)
    )
    assert layers.flatten(np.zeros((3, 0, 2))).shape == (3, 0)
    assert layers.flatten(np.zeros(3)).shape == (3, 1)
    assert not np.shares_memory(layers.flatten(X), X)


def test_a_residuals_gradient_is_the_cotangent_plus_that_of_f() -> None:
    x, g = RNG.standard_normal((2, 3, 4))
    got = layers.residual_vjp(x, activations.tanh_vjp, g)

    assert gradient_check(lambda x: np.sum(layers.residual(x, activations.tanh) * g), got, x).passed
    np.testing.assert_array_equal(layers.residual_vjp(x, lambda x, g: 0 * g, g), g)


@pytest.mark.parametrize("activation", NAMES)
def test_a_residual_unit_by_every_input(activation: Activation) -> None:
    x, W, V = UNIT
    g = RNG.standard_normal(x.shape)
    grads = layers.residual_unit_vjp(x, W, V, g, activation=activation)

    def f(x: Array, W: Array, V: Array) -> Any:
        return np.sum(layers.residual_unit(x, W, V, activation=activation) * g)

    assert gradient_check(lambda x: f(x, W, V), grads.dx, x).passed
    assert gradient_check(lambda W: f(x, W, V), grads.dW, W).passed
    assert gradient_check(lambda V: f(x, W, V), grads.dV, V).passed
    np.testing.assert_array_equal(layers.residual_unit(x, W, 0 * V, activation=activation), x)


def test_channels_are_concatenated_and_cut_as_torch_does() -> None:
    torch = torch_()
    a, b = RNG.standard_normal((2, 3, 2, 4)), RNG.standard_normal((2, 1, 2, 4))
    g = RNG.standard_normal((2, 4, 2, 4))
    ta, tb = tensors((a, b))
    y = torch.cat([ta, tb], dim=1)
    y.backward(torch.tensor(g))

    assert_near(layers.concatenate_channels(a, b), y, 0)
    assert_near(layers.concatenate_channels_vjp(a, b, g), (ta.grad, tb.grad), 0)


# ---------------------------------------------------------------- inception


def inception_of_torch(x: Any, p: Any) -> Any:
    torch = torch_()

    def conv(x: Any, w: Any, b: Any) -> Any:
        w = w if w.ndim == 4 else w[:, :, None, None]
        return torch.relu(torch.nn.functional.conv2d(x, w, b, padding=w.shape[-1] // 2))

    pooled = torch.nn.functional.max_pool2d(x, 3, 1, 1)
    parts = [conv(x, *p[:2]), conv(conv(x, *p[2:4]), *p[4:6]), conv(conv(x, *p[6:8]), *p[8:10]), conv(pooled, *p[10:])]
    return torch.cat(parts, dim=1)


def test_inception_and_its_gradients_are_torchs() -> None:
    x, params = tensors((IMAGES, tuple(PARAMS)))
    y = inception_of_torch(x, params)
    y.backward(torch_().tensor(ABOVE))
    got = layers.inception_vjp(IMAGES, PARAMS, ABOVE)

    assert_near(layers.inception(IMAGES, PARAMS), y)
    assert_near(got, (x.grad, tuple(p.grad for p in params)))
    assert [a.shape for a in got.dparams] == [a.shape for a in PARAMS]


def test_the_parameters_of_an_inception_module_are_counted() -> None:
    assert layers.n_inception_parameters(in_channels=3, **SIZES) == sum(a.size for a in PARAMS)
    without = sum(n_parameters(in_channels=192, out_channels=k, kernel_size=f) for k, f in ((128, 3), (32, 5)))
    reduced = layers.n_inception_parameters(
        in_channels=192, ch1x1=1, ch3x3red=96, ch3x3=128, ch5x5red=16, ch5x5=32, pool_proj=1
    )

    assert reduced - 2 * 193 < without  # D70: the reductions save


# ---------------------------------------------------------------- the multilayer perceptron


def torch_mlp(activation: str, x: Any, params: Any) -> Any:
    F = torch_().nn.functional
    f: dict[str, Callable[[Any], Any]] = {
        "identity": lambda z: z,
        "sigmoid": F.sigmoid,
        "tanh": F.tanh,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "softplus": F.softplus,
        "gelu": F.gelu,
        "silu": F.silu,
    }
    for W, b in params[:-1]:
        x = f[activation](x @ W + b)
    return x @ params[-1][0] + params[-1][1]


@pytest.mark.parametrize("activation", NAMES)
def test_an_mlp_and_its_gradients_are_torchs(activation: Activation) -> None:
    x, params = tensors((X, LAYERS))
    y = torch_mlp(activation, x, params)
    y.backward(torch_().tensor(G))

    assert_near(networks.mlp(X, LAYERS, activation=activation), y)
    expected = (x.grad, tuple((W.grad, b.grad) for W, b in params))
    assert_near(networks.mlp_vjp(X, LAYERS, G, activation=activation), expected)


@pytest.mark.parametrize("depth", range(1, 5))
@pytest.mark.parametrize("head", get_args(Head))
def test_the_loss_of_every_head_and_its_gradient_belong_together(head: Head, depth: int) -> None:
    net = LAYERS[-depth:]
    x = RNG.standard_normal((5, net[0].W.shape[0]))
    labels: Any = {"softmax": RNG.dirichlet(np.ones(3), 5), "sigmoid": RNG.random((5, 3)), "identity": G[:5]}[head]
    grads = networks.mlp_loss_grad(x, net, labels, activation="tanh", head=head)

    def loss(x: Array, net: Any) -> Any:
        return networks.mlp_loss(x, net, labels, activation="tanh", head=head)

    for i, layer in enumerate(net):
        for name in ("W", "b"):

            def changed(array: Array, i: int = i, layer: Layer = layer, name: str = name) -> Any:
                return loss(x, (*net[:i], layer._replace(**{name: array}), *net[i + 1 :]))

            assert gradient_check(changed, getattr(grads[i], name), getattr(layer, name)).passed


@pytest.mark.parametrize("head", get_args(Head))
def test_the_error_of_every_head_is_predicted_minus_observed(head: Head) -> None:
    z = networks.mlp(X, LAYERS)
    labels = RNG.dirichlet(np.ones(3), 7)
    predicted = {"softmax": activations.softmax(z), "sigmoid": activations.sigmoid(z), "identity": z}[head]
    count = z.size if head == "sigmoid" else len(z)

    assert_near(networks.mlp_loss_grad(X, LAYERS, labels, head=head)[-1].b, np.sum(predicted - labels, 0) / count)


def test_one_layer_is_an_affine_layer() -> None:
    (layer,) = LAYERS[:1]
    g = RNG.standard_normal((7, 5))
    dx, ((dW, db),) = networks.mlp_vjp(X, [layer], g)

    np.testing.assert_array_equal(networks.mlp(X, [layer]), layers.affine(X, *layer))
    assert_near((dx, dW, db), tuple(layers.affine_vjp(X, *layer, g)), 0)


def test_without_a_nonlinearity_two_layers_are_one() -> None:
    (W, b), (V, c) = LAYERS[:2]

    assert_near(networks.mlp(X, LAYERS[:2], activation="identity"), layers.affine(X, W @ V, b @ V + c))


@pytest.mark.parametrize("activation", NAMES)
def test_the_jacobian_product_holds_the_gradients_of_all_outputs(activation: Activation) -> None:
    J = networks.jacobian_product(X, LAYERS, activation=activation)

    assert J.shape == (7, 3, 4)
    for i in range(3):
        unit = np.zeros((7, 3))
        unit[:, i] = 1
        assert_near(J[:, i], networks.mlp_vjp(X, LAYERS, unit, activation=activation).dx)
    assert_near(networks.jacobian_product(X, LAYERS[:1]), np.broadcast_to(LAYERS[0].W.T, (7, 5, 4)))


@given(seed=st.integers(0, 2**32 - 1))
def test_a_pass_forward_of_a_direction_is_adjoint_to_the_pass_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    v, u = rng.standard_normal((7, 4)), rng.standard_normal((7, 3))
    J = networks.jacobian_product(X, LAYERS, activation="silu")
    forth = np.einsum("nij,nj->ni", J, v)
    back = networks.mlp_vjp(X, LAYERS, u, activation="silu").dx

    assert np.sum(forth * u) == pytest.approx(np.sum(v * back), rel=1e-10, abs=1e-12)


def test_samples_do_not_see_each_other() -> None:
    for row in range(7):
        alone = networks.mlp_vjp(X[row : row + 1], LAYERS, G[row : row + 1]).dx
        assert_near(alone, networks.mlp_vjp(X, LAYERS, G).dx[row : row + 1], 1e-14)


def test_gradient_norms_are_those_of_the_errors() -> None:
    cache = networks.mlp_forward(X, LAYERS)
    errors = networks.mlp_errors(LAYERS, cache, G)

    assert_near(networks.gradient_norms(X, LAYERS, G), np.array([np.linalg.norm(e) for e in errors]))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_gradient_norms_in_float32_neither_underflow_nor_overflow(scale: float) -> None:
    net = [Layer(layer.W.astype(np.float32), layer.b.astype(np.float32)) for layer in LAYERS]
    x, g = X.astype(np.float32), G.astype(np.float32)
    small = networks.gradient_norms(x, net, (g * np.float32(scale)))

    assert small.dtype == np.float32
    assert (small > 0).all()
    np.testing.assert_allclose(small / np.float32(scale), networks.gradient_norms(x, net, g), rtol=1e-5)
    np.testing.assert_array_equal(networks.gradient_norms(x, net, 0 * g), np.zeros(4, np.float32))


def test_a_sigmoid_chain_shrinks_by_a_quarter_of_its_weight_at_most() -> None:
    for w in (0.5, 3.9, 8.0):
        chain = [Layer(np.array([[w]]), np.array([-w / 2])) for _ in range(30)]
        x = np.full((1, 1), 0.5)
        J = abs(networks.jacobian_product(x, chain, activation="sigmoid").item())

        assert pytest.approx(w * (w / 4) ** 29) == J  # at z = 0, where the bound is met: it grows for w > 4
        assert abs(networks.jacobian_product(x + 1, chain, activation="sigmoid").item()) < J


# ---------------------------------------------------------------- blocks


GENERATOR = np.random.default_rng(31)
BLOCKS: dict[str, tuple[blocks.Block, tuple[int, ...]]] = {
    "dense": (blocks.dense_block(4, 3, GENERATOR), (5, 4)),
    "dense without a bias": (blocks.dense_block(4, 3, GENERATOR, bias=False), (5, 4)),
    "conv": (blocks.conv_block(2, 3, GENERATOR, stride=2, padding=1), (2, 2, 5, 4)),
    "conv without a bias": (blocks.conv_block(2, 3, GENERATOR, bias=False), (2, 2, 5, 4)),
    "batch norm": (blocks.batch_norm_block(3), (5, 3)),
    "batch norm of images": (blocks.batch_norm_block(3), (2, 3, 4, 5)),
    "activation": (blocks.activation_block("gelu"), (5, 3)),
    "dropout": (blocks.dropout_block(p=0.3), (5, 3)),
    "max pool": (blocks.max_pool_block(kernel_size=2), (2, 3, 4, 6)),
    "global average": (blocks.global_avg_pool_block(), (2, 3, 4, 6)),
    "flatten": (blocks.flatten_block(), (2, 3, 4, 6)),
    "inception": (blocks.inception_block(3, GENERATOR, **SIZES), (2, 3, 4, 5)),
    "residual": (blocks.residual_block(blocks.dense_block(4, 4, GENERATOR)), (5, 4)),
    "residual with statistics": (
        blocks.residual_block(blocks.chain(blocks.dense_block(3, 3, GENERATOR), blocks.batch_norm_block(3))),
        (5, 3),
    ),
    "chain": (
        blocks.chain(
            blocks.conv_block(2, 3, GENERATOR, bias=False),
            blocks.batch_norm_block(3),
            blocks.residual_block(blocks.chain(blocks.conv_block(3, 3, GENERATOR, padding=1))),
            blocks.flatten_block(),
            blocks.dropout_block(p=0.2),
            blocks.dense_block(36, 2, GENERATOR),
        ),
        (3, 2, 5, 6),
    ),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_pulls_back_what_its_forward_asks_for(name: str, training: bool) -> None:
    block, shape = BLOCKS[name]
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape)
    params = blocks_like(block.params, lambda a: a + 0.3 * rng.standard_normal(a.shape))
    statistics = blocks_like(block.statistics, lambda a: a + 0.3 * rng.random(a.shape))

    def y(x: Array, params: Any) -> blocks.Pass:
        return block.forward(params, statistics, x, np.random.default_rng(8) if training else None)

    made = y(x, params)
    g = rng.standard_normal(made.y.shape)
    dx, grads = made.pull(g)
    arrays = leaves(params)

    assert gradient_check(lambda x: np.sum(y(x, params).y * g), dx, x).passed
    assert len(leaves(grads)) == len(arrays)
    for i, (array, grad) in enumerate(zip(arrays, leaves(grads), strict=True)):

        def changed(a: Array, i: int = i) -> Any:
            put = iter([*arrays[:i], a, *arrays[i + 1 :]])
            return np.sum(y(x, blocks_like(params, lambda _: next(put))).y * g)

        assert gradient_check(changed, grad, array).passed


def blocks_like(params: Any, change: Callable[[Any], Any]) -> Any:
    if not isinstance(params, tuple):
        return change(params)
    parts = [blocks_like(part, change) for part in params]
    return type(params)(*parts) if hasattr(params, "_fields") else tuple(parts)


@pytest.mark.parametrize("name", BLOCKS)
def test_only_training_moves_statistics_and_nothing_is_written_into(name: str) -> None:
    block, shape = BLOCKS[name]
    x = np.random.default_rng(3).standard_normal(shape)
    before = [a.copy() for a in (x, *leaves(block.params), *leaves(block.statistics))]
    used = block.forward(block.params, block.statistics, x, None)
    trained = block.forward(block.params, block.statistics, x, np.random.default_rng(0))
    trained.pull(np.ones_like(trained.y))

    for one, two in zip(leaves(used.statistics), leaves(block.statistics), strict=True):
        np.testing.assert_array_equal(one, two)
    assert bool(leaves(block.statistics)) is any(
        (one != two).any() for one, two in zip(leaves(trained.statistics), leaves(block.statistics), strict=True)
    )
    for one, two in zip(before, (x, *leaves(block.params), *leaves(block.statistics)), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_chain_of_dense_blocks_is_an_mlp() -> None:
    rng = np.random.default_rng(0)
    network = blocks.chain(
        blocks.dense_block(4, 5, rng), blocks.activation_block("tanh"), blocks.dense_block(5, 3, rng)
    )
    net = [network.params[0], network.params[2]]
    made = network.forward(network.params, network.statistics, X, None)
    dx, grads = made.pull(G)

    np.testing.assert_array_equal(made.y, networks.mlp(X, net, activation="tanh"))
    assert_near((dx, (grads[0], grads[2])), tuple(networks.mlp_vjp(X, net, G, activation="tanh")), 1e-15)


def test_batch_norm_moves_its_statistics_by_its_momentum() -> None:
    x = RNG.standard_normal((6, 3))
    block = blocks.batch_norm_block(3, momentum=0.25)
    moved = block.forward(block.params, block.statistics, x, np.random.default_rng(0)).statistics

    np.testing.assert_allclose(moved.running_mean, 0.25 * x.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(moved.running_var, 0.75 + 0.25 * x.var(axis=0, ddof=1), rtol=1e-14)


def test_dropout_draws_a_new_mask_in_every_pass_and_uses_it_on_the_way_back() -> None:
    block, rng = blocks.dropout_block(p=0.5), np.random.default_rng(0)
    x = np.ones((4, 100))
    one, two = (block.forward((), (), x, rng) for _ in range(2))

    assert (one.y != two.y).any()
    np.testing.assert_array_equal(one.pull(x).dx, one.y)
    np.testing.assert_array_equal(blocks.predict(block, x), x)


# ---------------------------------------------------------------- dtypes and other arithmetics


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "flatten": (layers.flatten, (IMAGES,)),
    "flatten_vjp": (layers.flatten_vjp, (IMAGES, IMAGES.reshape(2, -1))),
    "residual": (lambda x: layers.residual(x, activations.tanh), (X,)),
    "residual_vjp": (lambda x, g: layers.residual_vjp(x, activations.tanh_vjp, g), (X, X[::-1])),
    "residual_unit": (layers.residual_unit, UNIT),
    "residual_unit_vjp": (layers.residual_unit_vjp, (*UNIT, UNIT[0][::-1])),
    "concatenate_channels": (layers.concatenate_channels, (IMAGES, IMAGES[:, :2])),
    "concatenate_channels_vjp": (layers.concatenate_channels_vjp, (IMAGES, IMAGES[:, :2], ABOVE[:, :5])),
    "inception": (layers.inception, (IMAGES, PARAMS)),
    "inception_vjp": (layers.inception_vjp, (IMAGES, PARAMS, ABOVE)),
    "mlp": (networks.mlp, (X, LAYERS)),
    "mlp_forward": (networks.mlp_forward, (X, LAYERS)),
    "mlp_errors": (networks.mlp_errors, (LAYERS, networks.mlp_forward(X, LAYERS), G)),
    "mlp_backward": (networks.mlp_backward, (LAYERS, networks.mlp_forward(X, LAYERS), G)),
    "mlp_vjp": (networks.mlp_vjp, (X, LAYERS, G)),
    "mlp_loss": (networks.mlp_loss, (X, LAYERS, np.array([0, 1, 1, 0, 1, 0, 0]))),
    "mlp_loss_grad": (networks.mlp_loss_grad, (X, LAYERS, np.array([0, 1, 1, 0, 1, 0, 0]))),
    "jacobian_product": (networks.jacobian_product, (X, LAYERS)),
    "gradient_norms": (networks.gradient_norms, (X, LAYERS, G)),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_keeps_the_dtype_takes_any_memory_and_writes_into_nothing(name: str) -> None:
    f, arguments = CALLS[name]
    expected = f(*arguments)
    before = [np.copy(a) for a in leaves(arguments)]

    def strided(a: Any) -> Any:
        wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        view = wide[..., ::2]
        view.flags.writeable = False
        return view

    assert_near(f(*blocks_like(arguments, strided)), expected)
    for one, two in zip(before, leaves(arguments), strict=True):
        np.testing.assert_array_equal(one, two)
    assert {a.dtype for a in leaves(expected)} == {np.dtype(np.float64)}
    single = f(*blocks_like(arguments, lambda a: a.astype(np.float32) if a.dtype.kind == "f" else a))
    assert {a.dtype for a in leaves(single)} == {np.dtype(np.float32)}
    assert_near(single, expected, 1e-4)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_text_runs_on_other_arithmetics(name: str) -> None:
    f, arguments = CALLS[name]
    expected = f(*arguments)
    exact = f(*lift(exact_kind(50), arguments, "float64"))
    bounded = f(*lift(bounded_kind("float64"), arguments, "float64"))
    rounded = f(*lift(rounded_kind("float64", 1), arguments, "float64"))

    for plain, one, two, three in zip(leaves(expected), leaves(exact), leaves(bounded), leaves(rounded), strict=True):
        assert one.shape == two.shape == three.shape == plain.shape
        truth = one.parts[0].astype(float)
        np.testing.assert_allclose(plain, truth, rtol=0, atol=1e-13 * max(1, np.abs(truth).max()))
        bound = two.parts[1]
        np.testing.assert_array_less(np.abs(plain - truth), bound + 1e-300)
        assert np.isfinite(bound).mean() >= 0.5
        np.testing.assert_allclose(three.parts[0].mean(axis=0), truth, rtol=0, atol=1e-9 * max(1, np.abs(truth).max()))


# ---------------------------------------------------------------- what is refused


F32 = X.astype(np.float32)
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: layers.flatten(np.float64(3.0)), ValueError, "x: expected samples along a first axis, got a scalar"),  # type: ignore[arg-type]
    (
        lambda: layers.flatten_vjp(IMAGES, np.zeros((2, 59))),
        ValueError,
        "cotangent: expected shape (2, 60), got (2, 59)",
    ),
    (
        lambda: layers.residual(X, lambda x: x[:, :2]),
        ValueError,
        "f(x): expected the shape of x, (7, 4), got (7, 2)",
    ),
    (
        lambda: layers.residual_vjp(X, lambda x, g: g.T, X),
        ValueError,
        "f_vjp(x, cotangent): expected the shape of x, (7, 4), got (4, 7)",
    ),
    (
        lambda: layers.residual_unit(X, np.zeros((4, 3)), np.zeros((4, 3))),
        ValueError,
        "V: expected shape (3, 4), got (4, 3)",
    ),
    (
        lambda: layers.residual_unit(*UNIT, activation="swish"),  # type: ignore[arg-type]
        ValueError,
        'activation: expected "identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus", "gelu" or "silu", '
        "got 'swish'",
    ),
    (
        lambda: layers.concatenate_channels(IMAGES, IMAGES[:, :, :4]),
        ValueError,
        "b: expected shape (2, c_b, 5, 4), got (2, 3, 4, 4)",
    ),
    (
        lambda: layers.concatenate_channels_vjp(IMAGES, IMAGES, IMAGES),
        ValueError,
        "cotangent: expected shape (2, 6, 5, 4), got (2, 3, 5, 4)",
    ),
    (
        lambda: layers.inception(IMAGES, PARAMS._replace(w3x3=PARAMS.w5x5)),
        ValueError,
        "w3x3: expected shape (c_out, 4, k, k), got (5, 2, 5, 5)",
    ),
    (
        lambda: layers.inception(IMAGES, PARAMS._replace(w3x3=np.zeros((3, 4, 2, 3)))),
        ValueError,
        "w3x3: expected an odd size, which a padding can keep, got (3, 4, 2, 3)",
    ),
    (
        lambda: layers.inception(IMAGES, PARAMS._replace(b_pool=np.zeros(2))),
        ValueError,
        "b_pool: expected shape (1,), got (2,)",
    ),
    (
        lambda: layers.inception(IMAGES[:0], PARAMS),
        ValueError,
        "x: expected at least one row and one column, got shape (0, 3, 5, 4)",
    ),
    (
        lambda: layers.inception_vjp(IMAGES, PARAMS, ABOVE[:, :10]),
        ValueError,
        "cotangent: expected shape (2, 11, 5, 4), got (2, 10, 5, 4)",
    ),
    (
        lambda: layers.n_inception_parameters(in_channels=3, **{**SIZES, "ch3x3red": 0}),
        ValueError,
        "ch3x3red: expected at least 1, got 0",
    ),
    (lambda: networks.mlp(X, []), ValueError, "layers: expected at least one (W, b), got none"),
    (
        lambda: networks.mlp(X, [LAYERS[0].W]),  # type: ignore[list-item]
        ValueError,
        "layers[0]: expected a pair (W, b), got ndarray",
    ),
    (lambda: networks.mlp(X, LAYERS[1:]), ValueError, "x: expected shape (n, 5), got (7, 4)"),
    (
        lambda: networks.mlp(F32, LAYERS),
        TypeError,
        "expected one dtype for all arrays, got x float32, layers[0].W float64, layers[0].b float64; "
        "convert them with .astype",
    ),
    (
        lambda: networks.mlp_vjp(X, LAYERS, G[:, :1]),
        ValueError,
        "cotangent: expected shape (7, 3), got (7, 1)",
    ),
    (
        lambda: networks.mlp_errors(LAYERS, MlpCache((X,), (X,)), G),
        ValueError,
        "cache.inputs: expected one array for each of 4 layers, got 1",
    ),
    (
        lambda: networks.mlp_loss(X, LAYERS, G, head="tanh"),  # type: ignore[arg-type]
        ValueError,
        'head: expected "softmax", "sigmoid" or "identity", got \'tanh\'',
    ),
    (lambda: blocks.chain(), ValueError, "blocks: expected at least one block, got none"),
    (
        lambda: blocks.predict(blocks.residual_block(blocks.dense_block(4, 3, GENERATOR)), X),
        ValueError,
        "f(x): expected the shape of x, (7, 4), got (7, 3)",
    ),
    (lambda: blocks.dense_block(0, 3, GENERATOR), ValueError, "d_in: expected at least 1, got 0"),
    (
        lambda: blocks.dense_block(2, 3, np.random),  # type: ignore[arg-type]
        TypeError,
        "generator: expected a numpy.random.Generator, got module; write np.random.default_rng(seed)",
    ),
    (lambda: blocks.dropout_block(p=1.0), ValueError, "p: expected a number in [0, 1), got 1.0"),
    (lambda: blocks.batch_norm_block(3, eps=0.0), ValueError, "eps: expected a positive finite number, got 0.0"),
    (lambda: blocks.max_pool_block(kernel_size=0), ValueError, "kernel_size: expected at least 1, got 0"),
]


@pytest.mark.parametrize("call, kind, message", REFUSED, ids=[m[:60] for _, _, m in REFUSED])
def test_what_makes_no_sense_is_refused(call: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        call()

    assert str(raised.value) == message


def test_integer_classes_are_labels_of_the_softmax_alone() -> None:
    classes = np.array([0, 1, 1, 0, 1, 0, 0])

    assert networks.mlp_loss(X, LAYERS, classes) == losses.softmax_cross_entropy(networks.mlp(X, LAYERS), classes)
    heads: tuple[Head, ...] = ("sigmoid", "identity")
    for head in heads:
        with pytest.raises(TypeError):
            networks.mlp_loss(X, LAYERS, classes, head=head)
