"""ONNX Runtime's kernels, each as a model of one node; in float32, the dtype that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graders._conform import Documented, Function

DISTRIBUTIONS = ("onnxruntime", "onnx")
DTYPES = ("float32",)
URL = "https://onnx.ai/onnx/operators/onnx__{}.html"
OPSET = 21


def functions() -> dict[str, Documented]:
    """Return ONNX Runtime's operators by exercise."""
    import onnxruntime
    from onnx import TensorProto, helper

    def node(operator: str, inputs: Sequence[Any], opset: int = OPSET, kind: str = "f", **attributes: Any) -> Any:
        """Return what one node makes of its inputs: floats, or integers where its kind is "i"."""
        names = [f"x{i}" for i in range(len(inputs))]
        kinds = {"f": TensorProto.FLOAT, "i": TensorProto.INT64}
        given = [
            helper.make_tensor_value_info(name, kinds[np.asarray(x).dtype.kind], np.shape(x))
            for name, x in zip(names, inputs, strict=True)
        ]
        result = helper.make_tensor_value_info("y", kinds[kind], None)
        graph = helper.make_graph([helper.make_node(operator, names, ["y"], **attributes)], "one", given, [result])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, dict(zip(names, map(np.ascontiguousarray, inputs), strict=True)))[0]

    def unary(operator: str) -> Function:
        return lambda z: node(operator, [z])

    def along(operator: str) -> Function:
        return lambda z, *, axis: node(operator, [z], axis=axis)

    def conv2d(x: Any, w: Any, b: Any, *, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
        return node(
            "Conv", [x, w, b], strides=_pair(stride), pads=_pair(padding) * 2, dilations=_pair(dilation), group=groups,
        )  # fmt: skip

    def pooled(operator: str) -> Function:
        def max_pool2d(x: Any, *, kernel_size: Any, stride: Any, padding: Any) -> Any:
            strides = _pair(kernel_size if stride is None else stride)
            return node(operator, [x], kernel_shape=_pair(kernel_size), strides=strides, pads=_pair(padding) * 2)

        return max_pool2d

    def avg_pool2d(x: Any, *, kernel_size: Any, stride: Any, padding: Any, count_include_pad: bool) -> Any:
        strides, pads = _pair(kernel_size if stride is None else stride), _pair(padding) * 2
        return node(
            "AveragePool", [x], kernel_shape=_pair(kernel_size), strides=strides, pads=pads,
            count_include_pad=int(count_include_pad),
        )  # fmt: skip

    def pointwise_conv2d(x: Any, w: Any, b: Any) -> Any:
        return node("Conv", [x, w[:, :, None, None], b])

    def cross_correlate2d(x: Any, w: Any) -> Any:
        return node("Conv", [x[None, None], w[None, None]])[0, 0]

    def silu(z: Any) -> Any:
        return node("Swish", [z], opset=24)

    def rms_norm(x: Any, gamma: Any, *, eps: float) -> Any:
        return node("RMSNormalization", [x, gamma], opset=23, axis=-1, epsilon=eps)

    def batch_norm(x: Any, gamma: Any, beta: Any, running_mean: Any, running_var: Any, *, eps: float) -> Any:
        return node("BatchNormalization", [x, gamma, beta, running_mean, running_var], epsilon=eps)

    table: dict[str, tuple[str, Function]] = {
        "activations.sigmoid": ("Sigmoid", unary("Sigmoid")),
        "activations.tanh": ("Tanh", unary("Tanh")),
        "activations.relu": ("Relu", unary("Relu")),
        "activations.softplus": ("Softplus", unary("Softplus")),
        "activations.leaky_relu": (
            "LeakyRelu", lambda z, *, negative_slope: node("LeakyRelu", [z], alpha=negative_slope),
        ),
        "activations.gelu": ("Gelu", lambda z, *, approximate: node("Gelu", [z], approximate=approximate)),
        "activations.softmax": ("Softmax", along("Softmax")),
        "activations.log_softmax": ("LogSoftmax", along("LogSoftmax")),
        "activations.logsumexp": (
            "ReduceLogSumExp", lambda z, *, axis: node("ReduceLogSumExp", [z, np.array([axis])], keepdims=0),
        ),
        "activations.silu": ("Swish", silu),
        "losses.predict_label": ("ArgMax", lambda logits: node("ArgMax", [logits], kind="i", axis=1, keepdims=0)),
        "layers.affine": ("Gemm", lambda x, W, b: node("Gemm", [x, W, b])),
        "layers.flatten": ("Flatten", lambda x: node("Flatten", [x], axis=1)),
        "layers.concatenate_channels": ("Concat", lambda a, b: node("Concat", [a, b], axis=1)),
        "convolution.conv2d": ("Conv", conv2d),
        "convolution.pointwise_conv2d": ("Conv", pointwise_conv2d),
        "convolution.cross_correlate2d": ("Conv", cross_correlate2d),
        "pooling.max_pool2d": ("MaxPool", pooled("MaxPool")),
        "pooling.avg_pool2d": ("AveragePool", avg_pool2d),
        "pooling.global_avg_pool": ("GlobalAveragePool", lambda x: node("GlobalAveragePool", [x])[:, :, 0, 0]),
        "normalization.rms_norm": ("RMSNormalization", rms_norm),
        "normalization.batch_norm_when_evaluating": ("BatchNormalization", batch_norm),
        "normalization.layer_norm": (
            "LayerNormalization",
            lambda x, gamma, beta, *, eps: node("LayerNormalization", [x, gamma, beta], axis=-1, epsilon=eps),
        ),
        "normalization.group_norm": (
            "GroupNormalization",
            lambda x, gamma, beta, *, num_groups, eps: node(
                "GroupNormalization", [x, gamma, beta], num_groups=num_groups, epsilon=eps
            ),
        ),
        "regularization.l2_penalty": ("ReduceSumSquare", lambda w: node("ReduceSumSquare", [w], keepdims=0)),
        "regularization.l1_penalty": ("ReduceL1", lambda w: node("ReduceL1", [w], keepdims=0)),
        "preprocessing.mean_image": ("ReduceMean", lambda x: node("ReduceMean", [x, np.array([0])], keepdims=0)),
    }  # fmt: skip
    return {name: Documented(called, URL.format(called), function) for name, (called, function) in table.items()}


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
