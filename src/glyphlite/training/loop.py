"""The compiled inner loop: many optimizer steps in one call into TensorFlow, on images that already lie in its memory.

What was measured to matter on two CPU cores (`benchmarks/training.py`): products in bfloat16 where the processor can, Adam as
TensorFlow's one fused kernel, uint8 images kept as one tensor and gathered inside the graph, several steps per call. XLA and JAX
were slower on convolutions. Knows models and arrays; nothing of epochs, files or display.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.datasets.dataset import Split
from glyphlite.errors import ModelError
from glyphlite.models.choice import ModelChoice
from glyphlite.models.interface.input_layers import training_convention
from glyphlite.models.interface.output_kind import THRESHOLD, OutputKind
from glyphlite.models.interface.output_layer import outputs_of_model
from glyphlite.models.loading import in_one_line
from glyphlite.models.qat.compensated_rounding import NARROWING_IMAGES, narrow_layers
from glyphlite.models.qat.state import (
    all_frozen,
    begin_freezing,
    express_frozen,
    freeze_weights,
    frozen_codes,
    has_narrow_weights,
    is_quantization_aware,
    measure_ranges,
    set_quantized,
)
from glyphlite.models.recipe import Recipe
from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.image_ops import entered, normalized
from glyphlite.training.augmentation.parameters import PHOTOMETRIC
from glyphlite.training.batches import Chunk, transform_numbers
from glyphlite.training.distillation import log_probabilities
from glyphlite.training.engine.adam import BETA1, BETA2, JoinedWeights, move_average, move_weights
from glyphlite.training.engine.images import TrainingImages
from glyphlite.training.engine.library import TENSORFLOW, engine_name
from glyphlite.training.engine.network import Network, network_of
from glyphlite.training.precision import compute_precision

if TYPE_CHECKING:
    import keras

_EVALUATION_BATCH = 500

_TIMED_STEPS, _TIMED_CALLS = 4, 5
"""Number of steps in a call that is timed to estimate the whole training, and number of such calls."""

_RANGE_IMAGES = 2000
"""Training images from which the ranges of activations are measured before they are learned."""


class TrainingLoop:
    """A model in training: its weights, the optimizer's memory, and the compiled functions that change them.

    Attributes:
        model: float32; holds what validation measures and what is saved, after `synchronize`.
        convention: how pixels enter it.
        precision: what products are computed in while training.
        engine: what computes them: ``tensorflow``, or our own by name and version.
        step: optimizer steps so far.
    """

    def __init__(
        self,
        choice: ModelChoice,
        train: Split,
        validation: Split,
        recipe: Recipe,
        seed: int,
        drawings: Drawings | None = None,
    ) -> None:
        """Builds the model from the seed and lays the data into TensorFlow's memory.

        Args:
            choice: the model.
            train: what is learned.
            validation: what `validate` measures on.
            recipe: how it is learned.
            seed: of the initial weights and of the changes of light.
            drawings: what training images are replaced by, where the recipe asks for it.

        Raises:
            ModelError: the model or the recipe cannot be trained.
        """
        import keras
        import tensorflow as tf

        if recipe.optimizer != "adam" or recipe.loss != "sparse_categorical_crossentropy":
            raise ModelError(
                f"the recipe {recipe.name} asks for what the trainer lacks; expected adam and sparse_categorical_crossentropy"
            )
        if recipe.class_weights not in (None, "balanced"):
            raise ModelError(f"unknown class weights {recipe.class_weights!r}; expected balanced")
        if recipe.photometric is not None and recipe.photometric not in PHOTOMETRIC:
            raise ModelError(f"unknown photometric augmentation {recipe.photometric!r}; expected one of {', '.join(PHOTOMETRIC)}")
        self._choice, self.recipe, self._seed = choice, recipe, seed
        self._failures = (tf.errors.OpError, ValueError, TypeError)
        self.precision = compute_precision(recipe.precision)
        keras.utils.set_random_seed(seed)
        self.model = choice.build()
        self.convention = training_convention(self.model, choice.convention)
        self._student = self.model
        if self.precision == "bfloat16" or recipe.ema:
            self._student = _build_with_policy(choice, "mixed_bfloat16" if self.precision == "bfloat16" else "float32")
            self._student.set_weights(self.model.get_weights())
        self.step, self._started = 0, 0
        if not self._student.trainable_variables:
            raise ModelError(f"{choice.name} has nothing to train")
        if recipe.quantized_epochs and not is_quantization_aware(self.model):
            raise ModelError(f"the recipe {recipe.name} asks for quantization-aware layers, {choice.name} has none")
        if recipe.freezing and not has_narrow_weights(self.model):
            raise ModelError(f"the recipe {recipe.name} asks for weights of fewer than eight bits, {choice.name} has none")
        self._weights = [variable.value for variable in self._student.trainable_variables]
        self._first_moments = [tf.Variable(tf.zeros_like(weight)) for weight in self._weights]
        self._second_moments = [tf.Variable(tf.zeros_like(weight)) for weight in self._weights]
        self._averages = [tf.Variable(weight) for weight in self._weights] if recipe.ema else []
        self._train, self._drawings = train, drawings
        self._labels = tf.constant(train.labels.astype(np.int32))
        self._validation = (tf.constant(validation.images), tf.constant(validation.labels.astype(np.int32)))
        self._validation_images = len(validation)
        self._class_weights = tf.constant(balanced_weights(train.labels, choice.classes)) if recipe.class_weights else None
        self._validation_weights = tf.constant(balanced_weights(validation.labels, choice.classes))
        self._run, self._evaluate = self._compile(tf)

    def restart(self, seed: int) -> None:
        """Goes back to the beginning, with the initial weights that another seed gives; light stays that of the training's
        seed.
        """
        import keras

        keras.utils.set_random_seed(seed)
        for ours, theirs in zip(self._student.variables, self._choice.build().variables, strict=True):
            ours.assign(theirs)
        self._begin_optimizer()
        self.step, self._started = 0, 0

    def run(self, chunk: Chunk, rates: np.ndarray, answers: np.ndarray | None = None) -> tuple[float, int]:
        """Takes one optimizer step for each batch of a chunk.

        Args:
            chunk: the batches.
            rates: the learning rate of each step.
            answers: log-probabilities ``(steps, batch, classes)`` that teachers gave, where the recipe has any.

        Returns:
            The sum of the losses over the images, and how many were classified right; both as they were before each step.

        Raises:
            ModelError: the model fails when it is trained.
        """
        loss, correct = self._take_steps(chunk, rates, answers)
        self.step += len(rates)
        return loss, correct

    def time_step(self, chunk: Chunk, rates: np.ndarray, answers: np.ndarray | None = None) -> tuple[float, float]:
        """Returns the least and the most seconds that one optimizer step takes, of a few; everything is then as it was before.

        The first call, in which TensorFlow compiles the step, is not timed.

        Args:
            chunk: as for `run`; its first steps are taken.
            rates: as for `run`.
            answers: as for `run`.

        Raises:
            ModelError: the model fails when it is trained.
        """
        state, few = self.state(), slice(_TIMED_STEPS)
        part = replace(chunk, order=chunk.order[few], transforms=None if chunk.transforms is None else chunk.transforms[few])
        durations = []
        for _ in range(1 + _TIMED_CALLS):
            start = time.perf_counter()
            self._take_steps(part, rates[few], None if answers is None else answers[few])
            durations.append((time.perf_counter() - start) / len(part.order))
        self.restore(state)
        return min(durations[1:]), max(durations[1:])

    def _take_steps(self, chunk: Chunk, rates: np.ndarray, answers: np.ndarray | None) -> tuple[float, int]:
        steps = self.step - self._started + 1 + np.arange(len(rates), dtype=np.float64)
        corrected = rates * np.sqrt(1 - BETA2**steps) / (1 - BETA1**steps)
        decays = np.minimum(self.recipe.ema or 0.0, (1 + steps) / (10 + steps))
        scalars = np.stack([corrected, decays], axis=1).astype(np.float32)
        transforms = np.zeros((*chunk.order.shape, 0), np.float32) if chunk.transforms is None else chunk.transforms
        answers = np.zeros((*chunk.order.shape, 0), np.float16) if answers is None else answers
        seeds = np.stack([np.full(len(rates), self._seed), self.step + np.arange(len(rates))], axis=1).astype(np.int32)
        try:
            loss, correct = self._run(chunk.order, transforms, answers, scalars, seeds)
        except self._failures as error:
            raise ModelError(f"{self._choice.name} cannot be trained: {in_one_line(error)}") from error
        return float(loss), int(correct)

    def validate(self) -> tuple[float, float, float | None]:
        """Returns mean loss and accuracy of `model`, as it now is, on the validation split.

        Behind them the mean of the classes' recalls (balanced accuracy) where the recipe weighs classes, else None.
        """
        loss, correct, evenly = self._evaluate(*self._validation)
        count = self._validation_images
        return float(loss) / count, int(correct) / count, float(evenly) / count if self.recipe.class_weights else None

    def synchronize(self) -> None:
        """Gives `model` the weights trained so far (their running average, where the recipe averages)."""
        if self._student is not self.model:
            for theirs, ours in zip(self.model.weights, self._student.weights, strict=True):
                theirs.assign(ours.value)
        for variable, average in zip(self.model.trainable_variables, self._averages, strict=False):
            variable.assign(average)
        express_frozen(self.model, self._student)

    def freeze(self, share: float) -> None:
        """Keeps from here on a share of each layer's weights of fewer than eight bits as they would be rounded now."""
        if all_frozen(self._student):
            return
        self.synchronize()
        freeze_weights(self._student, self.model, share)

    def quantize(self) -> None:
        """Simulates int8 from here on: goes on from what `synchronize` gives, ranges measured on training images, Adam anew."""
        self.synchronize()
        measure_ranges(self.model, self.convention.real(self._train.images[:_RANGE_IMAGES]))
        self._student.set_weights(self.model.get_weights())
        self._begin_optimizer()
        self._started = self.step
        self.simulate_int8()

    def simulate_int8(self) -> None:
        """Puts every layer into its quantized state, with the weights as they are: how a later epoch is restored."""
        import tensorflow as tf

        for model in (self.model, self._student):
            set_quantized(model, quantized=True)
        if self.recipe.freezing:
            begin_freezing(self._student)
        self._run, self._evaluate = self._compile(tf)

    def narrow(self) -> None:
        """Rounds the weights of the layers that the recipe names to four bits, by what training images make of them."""
        if self.recipe.narrowed:
            narrow_layers(self.model, self.recipe.narrowed, self.convention.real(self._train.images[:NARROWING_IMAGES]))

    def weights(self) -> list[np.ndarray]:
        """Returns the weights of `model`, copied."""
        return [np.array(weight) for weight in self.model.get_weights()]

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that the next step depends on: weights, moments, averages, frozen codes, seed generators, steps
        done.
        """
        arrays = {name: np.array(variable.numpy()) for name, variable in self._variables().items()}
        return {**arrays, "step": np.array(self.step, np.int64), "started": np.array(self._started, np.int64)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Goes back to a state that `state` gave."""
        for name, variable in self._variables().items():
            variable.assign(state[name])
        self.step, self._started = int(state["step"]), int(state["started"])

    def _begin_optimizer(self) -> None:
        """Starts Adam without moments, and averages that begin with the weights as they are."""
        import tensorflow as tf

        for moment in (*self._first_moments, *self._second_moments):
            moment.assign(tf.zeros_like(moment))  # not times 0: of a beginning that diverged they are no numbers
        for average, weight in zip(self._averages, self._weights, strict=False):
            average.assign(weight)

    def _variables(self) -> dict[str, Any]:
        from keras.src.random.seed_generator import global_seed_generator

        groups = {
            "model": self._student.variables,
            "first_moment": self._first_moments,
            "second_moment": self._second_moments,
            "average": self._averages,
            "frozen": frozen_codes(self._student),
            "global_seed": [global_seed_generator().state],
        }
        return {f"{group}/{index}": variable for group, variables in groups.items() for index, variable in enumerate(variables)}

    def _compile(self, tf: Any) -> tuple[Any, Any]:
        import keras

        recipe, smoothing = self.recipe, self.recipe.label_smoothing

        kind, taken = outputs_of_model(self.model, self._choice.name), self.model.inputs[0].shape[1:]

        def losses(scores: Any, labels: Any) -> Any:
            """Returns cross-entropy ``(batch,)`` of probabilities ``(batch, outputs)``; Keras finds the logits behind the
            activation.
            """
            if kind is OutputKind.SIGMOID:
                yes = tf.cast(labels, tf.float32)[:, tf.newaxis]
                return keras.losses.binary_crossentropy(yes, scores, label_smoothing=smoothing)
            if kind is OutputKind.SIGMOIDS:
                return keras.losses.binary_crossentropy(tf.one_hot(labels, scores.shape[-1]), scores, label_smoothing=smoothing)
            if not smoothing:
                return keras.losses.sparse_categorical_crossentropy(labels, scores)
            return keras.losses.categorical_crossentropy(tf.one_hot(labels, scores.shape[-1]), scores, label_smoothing=smoothing)

        def right(scores: Any, labels: Any) -> Any:
            if kind is OutputKind.SIGMOID:
                return tf.cast(scores[:, 0] > THRESHOLD, tf.int32) == labels
            return tf.argmax(scores, axis=1, output_type=tf.int32) == labels

        def hits(scores: Any, labels: Any) -> Any:
            return tf.reduce_sum(tf.cast(right(scores, labels), tf.int32))

        def shaped(images: Any) -> Any:
            """Returns images in the shape that the model takes: without the channel, channels first, or pixels in a row."""
            if len(taken) == 3:
                return images if tuple(taken[1:]) != tuple(self._train.images.shape[1:3]) else tf.transpose(images, [0, 3, 1, 2])
            return tf.reshape(images, [-1, *taken])

        def learned(each: Any, scores: Any, answers: Any) -> Any:
            """Returns the mean loss, the teachers' softened answers in it; the square brings their gradients to the labels'
            size.
            """
            if recipe.distillation is None:
                return tf.reduce_mean(each)
            weight, temperature = recipe.distillation.weight, recipe.distillation.temperature
            soft = tf.nn.softmax(tf.cast(answers, tf.float32) / temperature)
            own = tf.nn.log_softmax(log_probabilities(scores) / temperature)
            taught = -tf.reduce_mean(tf.reduce_sum(soft * own, axis=-1))
            return (1 - weight) * tf.reduce_mean(each) + weight * temperature**2 * taught

        network = network_of(self._student, recipe.batch_size) if self.precision == "float32" else None
        self.engine = engine_name() if network else TENSORFLOW
        altered = TrainingImages(self._train, recipe, self._drawings, compiled=network is not None)
        variables, moments = self._student.trainable_variables, (self._first_moments, self._second_moments)
        joined = JoinedWeights(variables, moments, self._averages) if network else None

        def objective(scores: Any, labels: Any, answers: Any) -> tuple[Any, Any]:
            """Returns what is to be made small, and the loss of each image."""
            each = losses(scores, labels)
            weighted = each if self._class_weights is None else each * tf.gather(self._class_weights, labels)
            extra = [tf.cast(extra, tf.float32) for extra in self._student.losses]
            return learned(weighted, scores, answers) + tf.add_n(extra or [0.0]), each

        def take_step(images: Any, labels: Any, answers: Any, scalars: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                scores = self._student(shaped(images), training=True)
                total, each = objective(scores, labels, answers)
            gradients = tape.gradient(total, self._weights)
            slots = zip(self._weights, self._first_moments, self._second_moments, gradients, strict=True)
            for weight, first, second, gradient in slots:
                if gradient is not None:
                    move_weights(weight, first, second, gradient, scalars[0])
            for average, weight in zip(self._averages, self._weights, strict=False):
                move_average(average, weight, scalars[1])
            return tf.reduce_sum(each), hits(scores, labels)

        def step_in(network: Network, joined: JoinedWeights) -> Any:
            def take_step(images: Any, labels: Any, answers: Any, scalars: Any) -> tuple[Any, Any]:
                weights = joined.read()
                with tf.GradientTape() as tape:
                    tape.watch(weights)
                    with joined.standing_for(weights):
                        parameters = network.parameters()
                    scores = tf.nn.softmax(network.scores(shaped(images), parameters))
                    total, each = objective(scores, labels, answers)
                joined.move(tape.gradient(total, weights), *tf.unstack(scalars))
                return tf.reduce_sum(each), hits(scores, labels)

            return take_step

        step_taken = step_in(network, joined) if network and joined else take_step

        # What the engine runs is ours, and holds no Python statement that depends on a tensor; a stranger's layers may.
        @tf.function(
            autograph=network is None,
            input_signature=[
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None, None, transform_numbers(recipe.augmentation)], tf.float32),
                tf.TensorSpec([None, None, None], tf.float16),
                tf.TensorSpec([None, 2], tf.float32),
                tf.TensorSpec([None, 2], tf.int32),
            ],
        )
        def run(order: Any, transforms: Any, answers: Any, scalars: Any, seeds: Any) -> tuple[Any, Any]:
            steps = tf.shape(order)[0]

            def batch(step: Any) -> tuple[Any, Any]:
                labels = tf.gather(self._labels, order[step])
                return entered(altered(order[step], transforms[step], seeds[step]), self.convention), labels

            def one(step: Any, loss: Any, correct: Any) -> tuple[Any, ...]:
                more_loss, more_correct = step_taken(*batch(step), answers[step], scalars[step])
                return step + 1, loss + more_loss, correct + more_correct

            if joined:
                joined.join()
            begin = (tf.constant(0), tf.constant(0.0), tf.constant(0))
            _, loss, correct = tf.while_loop(lambda step, *_: step < steps, one, begin, parallel_iterations=1)
            if joined:
                joined.part()
            return loss, correct

        @tf.function(autograph=network is None)
        def evaluate(images: Any, labels: Any) -> tuple[Any, Any, Any]:
            count = tf.shape(labels)[0]

            def more(start: Any, loss: Any, correct: Any, evenly: Any) -> tuple[Any, ...]:
                batch = slice(start, start + _EVALUATION_BATCH)
                scores = self.model(shaped(entered(normalized(images[batch]), self.convention)), training=False)
                loss += tf.reduce_sum(losses(scores, labels[batch]))
                correct += hits(scores, labels[batch])
                if recipe.class_weights:
                    weights = tf.gather(self._validation_weights, labels[batch])
                    evenly += tf.reduce_sum(tf.where(right(scores, labels[batch]), weights, 0.0))
                return start + _EVALUATION_BATCH, loss, correct, evenly

            begin = (tf.constant(0), tf.constant(0.0), tf.constant(0), tf.constant(0.0))
            _, *sums = tf.while_loop(lambda start, *_: start < count, more, begin)
            return tuple(sums)

        return run, evaluate


def balanced_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns what each class's images weigh, float32 ``(classes,)``: n / (classes present * images of the class); 0 without any.

    Over the training split the weights have a mean of 1. scikit-learn's ``class_weight="balanced"``.
    """
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, len(labels) / np.maximum(np.count_nonzero(counts) * counts, 1), 0.0).astype(np.float32)


def _build_with_policy(choice: ModelChoice, policy: str) -> "keras.Model":
    """Builds a model under a global dtype policy, which is put back afterwards."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        return choice.build()
    finally:
        keras.config.set_dtype_policy(before)
