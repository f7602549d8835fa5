"""Slow plain loops, written from the formulas, that numbers are compared with."""

import math
import statistics
from itertools import product

import torch
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer

from value_lens.causal._specific import SURE
from value_lens.collect._firing import block_of
from value_lens.measure import LABEL
from value_lens.model import LensModel


def slow_tokens(plain, tokenizer, start, n_new):
    """Greedy over the tokens that the tokenizer has; and how often a row beyond them would have won."""
    rows, n_beyond = list(start), 0
    for step in range(n_new):
        with torch.no_grad():
            logits = plain(torch.tensor([rows])).logits[0, -1]
        n_beyond += int(logits.argmax()) >= len(tokenizer)
        logits = logits[: len(tokenizer)]
        if step == 0:
            logits[[k for k in range(len(logits)) if not tokenizer.decode([k], skip_special_tokens=True).strip()]] = -torch.inf
        if int(logits.argmax()) == 1:
            break
        rows.append(int(logits.argmax()))
    return rows[len(start) :], n_beyond


def slow_answer(model, folder, text, n_new):
    """Greedy, one text, the whole text at every step, plain transformers; the first token shows something."""
    plain, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    start = [0] if LensModel(model).prepends_bos else []
    ids, new = [*start, *tokenizer(text, add_special_tokens=False)["input_ids"]], []
    for step in range(n_new):
        with torch.no_grad():
            logits = plain(torch.tensor([ids + new])).logits[0, -1].double()
        if step == 0:
            logits[
                [k for k in range(len(tokenizer)) if not tokenizer.decode([k], skip_special_tokens=True).strip()]
            ] = -torch.inf
        token = int(logits.argmax())
        if token == 1:
            break
        new.append(token)
    for n_cut in range(5):  # a character that was cut off at the end
        text = tokenizer.decode(new[: len(new) - n_cut], skip_special_tokens=True)
        if n_cut < len(new) and not text.endswith("\ufffd"):
            return text
    return tokenizer.decode(new, skip_special_tokens=True)


def places(given_counts):
    _, _, fired = given_counts
    return [(layer, index) for layer in range(len(fired[0])) for index in range(len(fired[0][0]))]


def slow_p(given_counts, aspects="+-", languages=("en", "zh"), number=float):
    """{neuron: [p of each value]}: fired tokens / counted tokens. number: Fraction for what is exact."""
    groups, n_tokens, fired = given_counts
    found = {}
    for layer, index in places(given_counts):
        found[layer, index] = []
        for value in sorted({group[0] for group in groups}):
            rows = [r for r, (v, a, l) in enumerate(groups) if v == value and a in aspects and l in languages]
            found[layer, index].append(number(sum(fired[r][layer][index] for r in rows)) / sum(n_tokens[r] for r in rows))
    return found


def slow_vape(p):
    """(q, H, specificity) of one neuron's probabilities."""
    q = [x / sum(p) if sum(p) else 0.0 for x in p]
    h = -sum(x * math.log(x) for x in q if x > 0)
    return q, h, 1 - h / math.log(len(p)) if sum(p) else 0.0


def slow_kth(numbers, quantile):
    return sorted(numbers)[round(len(numbers) * quantile) - 1]


def slow_vape_rule(p, h, filter, top, bar):
    """{value place: neurons}, from {neuron: [p]} and {neuron: H}."""
    every = [x for of_neuron in p.values() for x in of_neuron]
    floor, ceiling = slow_kth(every, filter), slow_kth(every, bar)
    kept = {neuron: h[neuron] if any(x > floor for x in p[neuron]) else math.inf for neuron in p}
    taken = sorted(kept, key=lambda neuron: (kept[neuron], neuron))[: round(len(p) * top)]
    return [sorted(neuron for neuron in taken if p[neuron][v] > ceiling) for v in range(len(next(iter(p.values()))))]


def slow_d(given_counts, number=float):
    plus, minus = (slow_p(given_counts, aspect, number=number) for aspect in "+-")
    return {neuron: [a - b for a, b in zip(plus[neuron], minus[neuron], strict=True)] for neuron in plus}


def slow_average_precision(scores, true):
    """Over true neurons, the mean share of true ones among all scored at least as high."""
    found = []
    for neuron in true:
        above = [other for other in scores if scores[other] >= scores[neuron]]
        found.append(len([other for other in above if other in true]) / len(above))
    return sum(found) / len(found)


ACTIVATIONS = {
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_new": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}


NEAR_ZERO = 1e-6  # float32 rounding of activations of order 1


def token_ids(model, text):
    """Ids as TransformerLens itself would make them, BOS where its default says so."""
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return [model.tokenizer.bos_token_id, *ids] if model.cfg.default_prepend_bos else ids


def activations_of(model, text, site):
    """[layer, pos, neuron] of one text run alone, through TransformerLens's own cache."""
    gated = bool(model.cfg.gated_mlp) and site == "gate"
    with torch.no_grad():
        _, cache = model.run_with_cache(torch.tensor([token_ids(model, text)]))
    name = "hook_pre" if gated else "hook_post"
    found = [cache[f"blocks.{layer}.mlp.{name}"][0] for layer in range(model.cfg.n_layers)]
    found = [ACTIVATIONS[model.cfg.act_fn](x) if gated else x for x in found]
    return torch.stack(found).float()


def slow_counts(model, texts, site, near_zero=NEAR_ZERO):
    """The formula, text by text and token by token: {group: (texts, tokens, fired, total, total_sq, near zero)}."""
    special = set(model.tokenizer.all_special_ids)
    found = {}
    for text in texts:
        ids = token_ids(model, text.text)
        acts = activations_of(model, text.text, site)
        zero = torch.zeros(acts.shape[0], acts.shape[2], dtype=torch.float64)
        row = found.setdefault(text.group, [0, 0, zero.long(), zero.clone(), zero.clone(), 0])
        row[0] += 1
        for place, token in enumerate(ids):
            if token in special:
                continue
            here = acts[:, place].double()
            row[1] += 1
            row[2] += here > 0
            row[3] += here
            row[4] += here**2
            row[5] += int((here.abs() < near_zero).sum())
    return found


def effect_by_loops(changes, own, language, value, name, multiply):
    """The definition, number by number."""
    sets = [s for s in own if not all(float(row[own.index(s)]) != float(row[own.index(s)]) for row in changes.values())]
    change = lambda key, s: float(changes[key][own.index(s)])  # noqa: E731
    kept = [key for key in changes if key[0] == language]
    fragile = {key: statistics.mean(change(key, u) for u in sets if u not in (name, value, key[1])) for key in kept}
    others = {key[1] for key in kept} - {value, name}

    def mean(of, w):
        return statistics.mean(of[key] for key in kept if key[1] == w)

    moved = {key: change(key, name) for key in kept}
    b = 1.0
    if multiply:
        squares = sum(mean(fragile, w) ** 2 for w in others)
        groups = [[fragile[key] for key in kept if key[1] == w] for w in others]
        noise = SURE * sum(statistics.variance(group) / len(group) for group in groups)
        if squares > noise:
            sure = min(1.0, (squares - noise) / noise)
            b = 1 + sure * (sum(mean(moved, w) * mean(fragile, w) for w in others) / squares - 1)
    residual = {key: moved[key] - b * fragile[key] for key in kept}
    return mean(residual, value) - statistics.mean(mean(residual, w) for w in others)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def slow_sign_flip(blocks, clusters, n_resamples, seed):
    """By the definition, for the tosses that the seed gives: [[p of each row] of each block]."""
    cells = [(b, r) for b, block in enumerate(blocks) for r in range(len(block))]
    names = sorted({name for of in clusters for name in of})
    drawn_tosses = torch.randint(0, 2, (1 + max(names), n_resamples), generator=generator(seed), dtype=torch.int8)
    tosses = [[1] * (1 + max(names)), *(2 * drawn_tosses - 1).T.tolist()]  # first all signs as they are

    def sums(b, r):
        pairs = list(zip(clusters[b], blocks[b][r], strict=True))
        return {one: sum(x for name, x in pairs if name == one) for one in sorted(set(clusters[b]))}

    def unit(b):
        squares = [x * x for r in range(len(blocks[b])) for x in sums(b, r).values()]
        return math.sqrt(sum(squares) / len(blocks[b])) or 1.0  # of all clusters of a row, on average

    def flipped_sum(cell, signs):
        return abs(sum(signs[name] * x for name, x in sums(*cell).items()))

    drawn = {cell: [flipped_sum(cell, signs) for signs in tosses] for cell in cells}
    pool = [size / unit(cell[0]) for cell in cells for size in drawn[cell]]
    plain, sure = {}, {}
    for cell in cells:
        present = list(sums(*cell))
        every = [flipped_sum(cell, dict(zip(present, signs, strict=True))) for signs in product((1, -1), repeat=len(present))]
        shares = {size: sum(other >= size - 1e-9 for other in every) / len(every) for size in set(drawn[cell])}
        large = {size: sum(other >= size / unit(cell[0]) - 1e-9 for other in pool) / len(pool) for size in set(drawn[cell])}
        plain[cell] = shares[drawn[cell][0]]
        sure[cell] = [max(shares[size], large[size]) for size in drawn[cell]]

    def alone(cell):
        no_surer = [other for other in cells if sure[other][0] >= sure[cell][0] - 1e-9]
        draws = range(1, len(tosses))
        count = sum(min(sure[other][k] for other in no_surer) <= sure[cell][0] + 1e-9 for k in draws)
        return max(plain[cell], (1 + count) / len(tosses))

    corrected = {cell: max(alone(other) for other in cells if sure[other][0] <= sure[cell][0] + 1e-9) for cell in cells}
    return [[corrected[b, r] for r in range(len(block))] for b, block in enumerate(blocks)]


def slow_residuals(values, clusters):
    mean = sum(values) / len(values)
    return [
        sum(x - mean for x, name in zip(values, clusters, strict=True) if name == one) / len(values)
        for one in sorted(set(clusters))
    ]


def slow_variance(values, clusters):
    residuals = slow_residuals(values, clusters)
    return len(residuals) / (len(residuals) - 1) * sum(z * z for z in residuals)


def slow_rate(values, clusters, level, most=1.0):
    """The definition of `rate_interval`, one rate at a time."""
    n, m, tail = len(values), len(set(clusters)), (1 - level) / 2
    p, v, unseen = sum(values) / n, slow_variance(values, clusters), 1 - tail ** (1 / m)
    most = max(most, p)
    if v < 1e-15:
        return p * (1 - unseen), p + unseen * (most - p)
    worth = min(n, p * (1 - p) / v * (stats.norm.ppf(1 - tail) / stats.t.ppf(1 - tail, m - 1)) ** 2)
    low = stats.beta.ppf(tail, p * worth, (1 - p) * worth + 1)
    high = stats.beta.ppf(1 - tail, p * worth + 1, (1 - p) * worth)
    return min(low, 1 - unseen), max(high, unseen * most)


def slow_difference(edited, clean, clusters, level):
    changes = [after - before for after, before in zip(edited, clean, strict=True)]
    gained, lost = [max(d, 0) for d in changes], [max(-d, 0) for d in changes]
    means = [statistics.mean(x for x, name in zip(clean, clusters, strict=True) if name == one) for one in set(clusters)]
    clean_low, clean_high = slow_rate(clean, clusters, level)
    gain_low, gain_high = slow_rate(gained, clusters, level, max(1 - min(means), 1 - clean_low))
    loss_low, loss_high = slow_rate(lost, clusters, level, max(max(means), clean_high))
    one, other = slow_residuals(gained, clusters), slow_residuals(lost, clusters)
    sizes = math.sqrt(sum(x * x for x in one) * sum(y * y for y in other))
    r = sum(x * y for x, y in zip(one, other, strict=True)) / sizes if sizes > 1e-15 else 0.0
    gain, loss = statistics.mean(gained), statistics.mean(lost)

    def reach(a, b):
        return math.sqrt(max(0.0, a * a + b * b - 2 * r * a * b))

    return gain - loss - reach(gain - gain_low, loss_high - loss), gain - loss + reach(gain_high - gain, loss - loss_low)


def ids_of(model, text):
    ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return [model.tokenizer.bos_token_id, *ids] if model.cfg.default_prepend_bos else ids


def log_probabilities(model, ids):
    with torch.no_grad():
        return torch.log_softmax(model(torch.tensor([ids]))[0].double(), dim=-1)


def slow_label_margin(model, dilemma, forms=LABEL):
    """The whole label's log-probability, token by token, from where the two inputs part."""
    total = 0.0
    form = forms[dilemma.language]
    for first, second, sign in ((dilemma.aligned, dilemma.violating, 1), (dilemma.violating, dilemma.aligned, -1)):
        prompt = form.prompt.format(scenario=dilemma.scenario, first=first, second=second)
        a, b = (ids_of(model, prompt + label) for label in form.answers)
        start = next(k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
        for ids, way in ((a, sign), (b, -sign)):
            rows = log_probabilities(model, ids)
            total += way * sum(float(rows[place - 1, ids[place]]) for place in range(start, len(ids)))
    return total / 2


def slow_continuation_margin(model, dilemma, forms):
    form = forms[dilemma.language]
    orders = [(dilemma.aligned, dilemma.violating), (dilemma.violating, dilemma.aligned)]
    total = 0.0
    orders = orders if form.presents_options else orders[:1]
    for first, second in orders:
        prompt = form.prompt.format(scenario=dilemma.scenario, first=first, second=second)
        for option, sign in ((dilemma.aligned, 1), (dilemma.violating, -1)):
            answer = form.answers.format(option=option)
            ids = ids_of(model, prompt + answer)
            offsets = model.tokenizer(prompt + answer, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
            extra = len(ids) - len(offsets)
            places = [extra + k for k, (_, end) in enumerate(offsets) if end > len(prompt)]
            rows = log_probabilities(model, ids)
            total += sign * sum(float(rows[place - 1, ids[place]]) for place in places) / len(places)
    return total / len(orders)


def slow_probability(stats, value, aspect, languages):
    rows = [
        place
        for place, (v, a, l) in enumerate(stats.groups)
        if v == value and (aspect is None or a == aspect) and (languages is None or l in languages)
    ]
    fired, n_tokens = stats.fired.tolist(), stats.n_tokens.tolist()
    return [
        [sum(fired[r][l][i] for r in rows) / sum(n_tokens[r] for r in rows) for i in range(stats.d_mlp)]
        for l in range(stats.n_layers)
    ]


def slow_fold(groups, n_blocks, batches):
    """Token by token: {(block, group): [texts, tokens, {(layer, neuron): [fired, total, total_sq]}]}."""
    found = {(b, g): [0, 0, {}] for b in range(max(1, n_blocks)) for g in groups}
    for keys, counted, layers in batches:
        for row, (group, text_id) in enumerate(keys):
            cell = found[block_of(text_id, n_blocks) if n_blocks else 0, group]
            cell[0] += 1
            for pos in range(len(counted[row])):
                if not counted[row][pos]:
                    continue
                cell[1] += 1
                for layer, acts in enumerate(layers):
                    for neuron, a in enumerate(acts[row][pos]):
                        sums = cell[2].setdefault((layer, neuron), [0, 0.0, 0.0])
                        sums[0] += a > 0
                        sums[1] += a
                        sums[2] += a * a
    return found
