"""Wrong answers that have a name, question by question, in the words of the questions; all of it data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CONFUSIONS", "Mistake"]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that has a name, in the words of its question, and what the student is told."""

    name: str
    right: str
    says: str


ONE_HOT = Mistake(
    "squares_the_labels",
    "s[i]*sum(labels[k]**2, k) - labels[i]",
    "The sum of the squared labels is the sum of the labels only where they are 0 and 1.",
)
CONSTANT = "The statistics depend on x as well: their derivatives are missing."
ONLY_MEAN = "The mean depends on x, and so does the variance: its derivative is missing."
DIAGONAL = "s_i (1 - s_i) is right for i = j only; for other j it is -s_i s_j."

CONFUSIONS: Mapping[str, tuple[Mistake, ...]] = {
    "losses.softmax_cross_entropy_gradient_for_any_labels": (ONE_HOT,),
    "losses.softmax_cross_entropy_grad": (
        Mistake("forgets_the_smoothing", "(s[a, i] - labels[a, i])/n", "The labels are to be smoothed."),
        Mistake(
            "smooths_over_the_other_classes",
            "(s[a, i] - (1 - ε)*labels[a, i] - ε/(c - 1))/n",
            "The smoothing is spread over all c classes, the right one among them.",
        ),
    ),
    "losses.softmax_cross_entropy_hessian": (Mistake("takes_the_diagonal_everywhere", "s[i]*(1 - s[i])", DIAGONAL),),
    "losses.squared_error_of_softmax_saturates": (
        Mistake(
            "forgets_the_softmax",
            "2*(s[i] - labels[i])",
            "The logits pass through the softmax: its Jacobian is missing.",
        ),
        Mistake(
            "keeps_the_diagonal_of_the_jacobian",
            "2*(s[i] - labels[i])*s[i]*(1 - s[i])",
            "Each output depends on each logit: the chain rule sums over all outputs.",
        ),
    ),
    "losses.bce_with_logits_grad": (
        Mistake(
            "multiplies_by_the_slope_of_the_sigmoid",
            "(s[a] - labels[a])*s[a]*(1 - s[a])/n",
            "The slope of the sigmoid cancels against the logarithm's; it stays with the squared error.",
        ),
        Mistake("sums_over_the_elements", "sum(s[r] - labels[r], r)/n", "Only term a of the sum depends on logit a."),
    ),
    "losses.bce_with_pos_weight_gradient": (
        Mistake("weighs_the_negatives_too", "pos_weight*(s[a] - labels[a])/n", "The weight is the positives' alone."),
    ),
    "losses.sigmoid_bce_grad": (
        Mistake(
            "takes_the_gradient_by_the_logits",
            "(probabilities[a] - labels[a])/n",
            "That is the gradient by the logit; by the probability it is divided by p (1 - p).",
        ),
    ),
    "losses.entropy_gradient by p": (
        Mistake(
            "forgets_the_derivative_of_the_logarithm",
            "-log(p[a, i])/n",
            "p log p is a product: its second term, 1, is missing.",
        ),
    ),
    "losses.softmax_cross_entropy_gradient_at_a_temperature": (
        Mistake(
            "forgets_the_temperature_in_the_softmax",
            "(softmax(logits)[a, i] - labels[a, i])/(n*temperature)",
            "The softmax is taken at the temperature too.",
        ),
    ),
    "activations.sigmoid_vjp": (
        Mistake(
            "takes_z_for_the_sigmoid",
            "cotangent[b]*z[b]*(1 - z[b])",
            "σ(1 - σ) is meant of the output, not of the input.",
        ),
    ),
    "activations.relu_vjp": (
        Mistake("returns_the_value", "cotangent[b]*relu(z[b])", "The slope is 1 where z > 0, not z."),
    ),
    "activations.softmax_jacobian": (
        Mistake("takes_the_diagonal_everywhere", "s[r, i]*(1 - s[r, i])/temperature", DIAGONAL),
        Mistake(
            "forgets_the_temperature",
            "s[r, i]*(delta(i, j) - s[r, j])",
            "The derivative of z/τ brings a division by τ.",
        ),
    ),
    "activations.softmax_vjp": (
        Mistake(
            "keeps_the_diagonal_of_the_jacobian",
            "s[a, i]*(1 - s[a, i])*cotangent[a, i]/temperature",
            "Each output depends on each logit: the off-diagonal terms are missing.",
        ),
        Mistake(
            "forgets_the_weights",
            "s[a, i]*(cotangent[a, i] - sum(cotangent[a, k], k))/temperature",
            "The sum of the cotangent is weighed by the softmax; without it this is log-softmax's shape.",
        ),
    ),
    "activations.log_softmax_vjp": (
        Mistake(
            "keeps_the_diagonal_of_the_jacobian",
            "cotangent[a, i]*(1 - s[a, i])",
            "Each output depends on each logit: the off-diagonal terms are missing.",
        ),
    ),
    "layers.affine_vjp dW": (
        Mistake(
            "multiplies_the_sums", "sum(x[r, p], r)*sum(cotangent[r, q], r)", "A sum of products is no product of sums."
        ),
    ),
    "layers.backpropagation_step": (
        Mistake(
            "takes_the_value_for_the_slope",
            "x[r, p]*g(z[r, q])*sum(error[o]*W2[q, o], o)",
            "The slope g' is needed, not g.",
        ),
        Mistake("forgets_the_slope", "x[r, p]*sum(error[o]*W2[q, o], o)", "The slope of the activation is missing."),
        Mistake(
            "forgets_the_weights_above",
            "x[r, p]*g'(z[r, q])*sum(error[o], o)",
            "An error comes down through the weight of its connection.",
        ),
    ),
    "training.softmax_regression_grad": (
        Mistake(
            "halves_the_penalty",
            "sum(x[r, p]*(s[r, i] - labels[r, i]), r)/n + l2*W[p, i]",
            "The derivative of l2 W² is 2 l2 W.",
        ),
        Mistake(
            "forgets_the_mean_over_the_batch",
            "sum(x[r, p]*(s[r, i] - labels[r, i]), r) + 2*l2*W[p, i]",
            "The data term is a mean: its division by n is missing.",
        ),
    ),
    "normalization.batch_norm_vjp dx": (
        Mistake("takes_the_statistics_for_constants", "gamma[k]*cotangent[a, k]/std[k]", CONSTANT),
        Mistake(
            "takes_the_variance_for_a_constant",
            "gamma[k]/std[k]*(cotangent[a, k] - sum(cotangent[r, k], r)/n)",
            ONLY_MEAN,
        ),
    ),
    "normalization.layer_norm_vjp dx": (
        Mistake("takes_the_statistics_for_constants", "gamma[k]*cotangent[a, k]/std[a]", CONSTANT),
        Mistake(
            "takes_gamma_out_of_the_means",
            "gamma[k]*(dy[a, k] - sum(dy[a, j], j)/d - xhat[a, k]*sum(dy[a, j]*xhat[a, j], j)/d)/std[a]",
            "The gain differs from feature to feature: it belongs inside the means.",
        ),
    ),
    "normalization.rms_norm_vjp dx": (
        Mistake("takes_the_statistics_for_constants", "gamma[k]*cotangent[a, k]/rms[a]", CONSTANT),
    ),
    "optimizers.momentum velocity": (
        Mistake(
            "decays_once_too_often",
            "momentum**T*velocity[j] - lr*sum(momentum**(T - i)*grads[i, j], i)",
            "The newest gradient is not decayed: the exponent is T - 1 - i.",
        ),
        Mistake(
            "decays_the_newest_most",
            "momentum**T*velocity[j] - lr*sum(momentum**i*grads[i, j], i)",
            "The oldest gradient is decayed most: the exponent is T - 1 - i.",
        ),
        Mistake(
            "takes_an_average",
            "momentum**T*velocity[j] - lr*(1 - momentum)*sum(momentum**(T - 1 - i)*grads[i, j], i)",
            "Momentum adds the gradients up; a factor 1 - momentum is a moving average's.",
        ),
        Mistake(
            "decays_the_start_once",
            "momentum*velocity[j] - lr*sum(momentum**(T - 1 - i)*grads[i, j], i)",
            "The initial velocity is decayed in each of the T steps.",
        ),
        Mistake(
            "climbs",
            "momentum**T*velocity[j] + lr*sum(momentum**(T - 1 - i)*grads[i, j], i)",
            "Descent goes against the gradient.",
        ),
    ),
    "optimizers.sgd": (Mistake("climbs", "params[j] + lr*sum(grads[i, j], i)", "Descent goes against the gradient."),),
    "optimizers.adagrad sum": (
        Mistake("squares_the_sum", "sum[j] + sum(grads[i, j], i)**2", "The squares are summed, not the sum squared."),
    ),
    "optimizers.adagrad params": (
        Mistake(
            "puts_eps_under_the_root",
            "params[j] - lr*sum(grads[s, j]/sqrt(eps + acc[j] + sum(grads[i, j]**2, i <= s)), s < T)",
            "eps stands outside of the root.",
        ),
    ),
    "optimizers.rmsprop square_avg": (
        Mistake(
            "forgets_the_weight_of_the_new",
            "alpha**T*square_avg[j] + sum(alpha**(T - 1 - i)*grads[i, j]**2, i)",
            "A moving average weighs the new by 1 - alpha.",
        ),
        Mistake(
            "forgets_the_square",
            "alpha**T*square_avg[j] + (1 - alpha)*sum(alpha**(T - 1 - i)*grads[i, j], i)",
            "The average is of the squared gradients.",
        ),
    ),
    "optimizers.adam m": (
        Mistake(
            "takes_the_other_beta",
            "beta1**T*m[j] + (1 - beta2)*sum(beta1**(T - 1 - i)*grads[i, j], i)",
            "Both factors are of the same beta.",
        ),
        Mistake(
            "decays_the_start_once",
            "beta1*m[j] + (1 - beta1)*sum(beta1**(T - 1 - i)*grads[i, j], i)",
            "The initial moment is decayed in each of the T steps.",
        ),
    ),
    "optimizers.adam v": (
        Mistake(
            "squares_the_mean",
            "beta2**T*v[j] + (1 - beta2)*sum(beta2**(T - 1 - i)*grads[i, j], i)**2",
            "The squares are averaged, not the average squared.",
        ),
        Mistake(
            "takes_the_other_beta",
            "beta1**T*v[j] + (1 - beta1)*sum(beta1**(T - 1 - i)*grads[i, j]**2, i)",
            "The second moment decays with the second beta.",
        ),
    ),
    "optimizers.momentum_weights_sum": (
        Mistake("never_ends", "1/(1 - rho)", "That is the sum of infinitely many weights, not of T."),
    ),
    "optimizers.adam_weights_sum_to_one_less_decay": (
        Mistake("takes_a_product_for_the_power", "1 - rho*T", "rho is raised to the power T, not multiplied by T."),
    ),
    "regularization.dropout_vjp": (
        Mistake("forgets_the_scale", "cotangent[j]*mask[j]", "What is kept is divided by 1 - p, also on the way back."),
        Mistake(
            "divides_by_the_drop_rate",
            "cotangent[j]*mask[j]/p",
            "p is the probability to drop; the division is by 1 - p.",
        ),
    ),
}
