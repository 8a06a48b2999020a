"""The copy's sources: at each place a switch, or the change itself."""
import re
from collections import defaultdict

from mutation.places import ancestors, enclosing, excluded, walk


class Constant:
    """A `const` item, and where it is used."""

    def __init__(self, source, node):
        self.source, self.node = source, node
        self.name = source.of(node.child_by_field_name("name"))
        self.public = any(c.type == "visibility_modifier" for c in node.children)
        self.owner = None
        # The part of the file in which the name means this constant.
        self.scope = source.root
        for _, parent in ancestors(node):
            if parent.type == "impl_item":
                self.owner = source.of(parent.child_by_field_name("type"))
                if parent.child_by_field_name("trait") is not None:
                    self.owner = "?"
            if parent.type == "block":
                self.scope = parent
                break

    def qualifiers(self):
        return {self.owner, "Self"} if self.owner else {self.source.module(), "self", "super"}


def leaf_uses(source, name):
    """Identifiers of that name, each with the path before it (None, where it stands alone)."""
    word = name.encode()
    at = source.text.find(word)
    while at >= 0:
        node = source.root.descendant_for_byte_range(at, at + len(word))
        if node is not None and node.end_byte - node.start_byte == len(word) and node.type in ("identifier", "type_identifier"):
            before = source.text[:at]
            path = re.search(rb"((?:[A-Za-z_]\w*::)+)$", before)
            start = path.start() if path else at
            yield node, start, (path[1].decode().split("::")[-2] if path else None)
        at = source.text.find(word, at + 1)


class Plan:
    """What each file of the copy looks like, for a list of changes with their numbers."""

    def __init__(self, sources, numbered):
        self.sources = sources
        self.numbered = numbered
        # Edits of a file: (start, end, number, text) wraps a range; inserts put text behind a place.
        self.wraps = defaultdict(list)
        self.inserts = defaultdict(list)
        self.alone = []
        self.constants = defaultdict(list)
        for source in sources.values():
            for node in walk(source.root):
                if node.type == "const_item" and node.child_by_field_name("value") is not None:
                    constant = Constant(source, node)
                    self.constants[(source.path, node.start_byte)] = constant
        for number, change in numbered:
            self.place(number, change)

    def place(self, number, change):
        if change.where == "run":
            self.wraps[change.source.path].append((change.node.start_byte, change.node.end_byte, number, change.becomes))
        elif change.where == "const":
            value = change.item.child_by_field_name("value")
            text = change.source.text
            mutated = (text[value.start_byte:change.node.start_byte] + change.becomes.encode()
                       + text[change.node.end_byte:value.end_byte]).decode()
            staged = []
            if change.item.type == "const_item" and self.substitute(number, change.source, change.item, mutated, staged, set()):
                for path, kind, edit in staged:
                    (self.wraps if kind == "wrap" else self.inserts)[path].append(edit)
            else:
                self.alone.append(number)
        else:
            self.alone.append(number)

    def substitute(self, number, source, item, mutated, staged, done):
        """A second constant beside the first, and a switch at each of its uses. False where a use cannot be switched."""
        constant = self.constants.get((source.path, item.start_byte))
        if constant is None or constant.owner == "?" or constant.name in ("RULE", "_"):
            return False
        if (source.path, item.start_byte) in done:
            return True
        done.add((source.path, item.start_byte))
        twin = f"{constant.name}__M{number}"
        text = source.text
        value = item.child_by_field_name("value")
        name = item.child_by_field_name("name")
        head = text[item.start_byte:name.start_byte].decode()
        middle = text[name.end_byte:value.start_byte].decode()
        staged.append((source.path, "insert", (item.end_byte, f" {head}{twin}{middle}{mutated};")))
        uses = 0
        for other in self.sources.values():
            if other.path != source.path and (not constant.public or constant.name not in other.original):
                continue
            for node, start, qualifier in leaf_uses(other, constant.name):
                if node.start_byte == name.start_byte and other.path == source.path:
                    continue
                if other.path == source.path:
                    if constant.scope != source.root and not (constant.scope.start_byte <= node.start_byte < constant.scope.end_byte):
                        continue
                    if qualifier is not None and qualifier not in constant.qualifiers():
                        continue
                    if constant.owner and qualifier is None:
                        continue
                    if any(c.name == constant.name and c.node != item and (path, _) != (source.path, item.start_byte)
                           and path == other.path and c.owner == constant.owner for (path, _), c in self.constants.items()):
                        return False
                else:
                    declared = next((p for _, p in ancestors(node) if p.type == "use_declaration"), None)
                    if declared is not None:
                        if re.search(rf"\b{source.module()}::", other.of(declared)) is None:
                            continue
                        if node.parent.type == "use_list":
                            staged.append((other.path, "insert", (node.end_byte, f", {twin}")))
                        else:
                            staged.append((other.path, "wrap", (node.start_byte, node.end_byte, -1, f"{{{constant.name}, {twin}}}")))
                        continue
                    imported = any(n.parent.type in ("use_list", "scoped_identifier") and any(
                        p.type == "use_declaration" and re.search(rf"\b{source.module()}::", other.of(p)) for _, p in ancestors(n))
                        for n, _, _ in leaf_uses(other, constant.name))
                    wanted = {constant.owner} if constant.owner else {source.module()}
                    if (qualifier is None and (constant.owner or not imported)) or (qualifier is not None and qualifier not in wanted):
                        continue
                where, inside = enclosing(other, node)
                if node.parent.type == "use_list" or any(p.type == "use_declaration" for _, p in ancestors(node)):
                    continue
                place = (other.path, inside.start_byte) if inside is not None else None
                if where == "run":
                    whole = other.text[start:node.end_byte].decode()
                    staged.append((other.path, "wrap", (start, node.end_byte, number, whole[:-len(constant.name)] + twin)))
                    uses += 1
                elif where == "const" and inside.type == "const_item":
                    inner = inside.child_by_field_name("value")
                    whole = other.text[start:node.end_byte].decode()
                    # Only the first use is replaced where a constant is used twice in another: rare, and then built alone.
                    again = [n for n, _, _ in leaf_uses(other, constant.name) if inner.start_byte <= n.start_byte < inner.end_byte]
                    if len(again) != 1:
                        return False
                    changed = (other.text[inner.start_byte:start].decode() + whole[:-len(constant.name)] + twin
                               + other.text[node.end_byte:inner.end_byte].decode())
                    if not self.substitute(number, other, inside, changed, staged, done):
                        return False
                    uses += 1
                else:
                    return False
            if re.search(rf'"[^"\n]*\{{{constant.name}[:}}]', other.original):
                return False
        return uses > 0

    def drop(self, number):
        for path in self.wraps:
            self.wraps[path] = [w for w in self.wraps[path] if w[2] != number]
        for path in self.inserts:
            self.inserts[path] = [i for i in self.inserts[path] if f"__M{number}" not in i[1] or not re.search(rf"__M{number}\b", i[1])]

    def render(self, path):
        """The file's text, and for each byte range of it the number that made it."""
        source = self.sources[path]
        text = source.text.decode()
        data = source.text
        wraps = sorted(self.wraps[path], key=lambda w: (w[0], -w[1]))
        inserts = sorted(self.inserts[path])
        groups = defaultdict(list)
        for start, end, number, becomes in wraps:
            groups[(start, end)].append((number, becomes))
        keys = sorted(groups, key=lambda k: (k[0], -k[1]))

        def piece(start, end, inner):
            """The range with the wraps that lie in it."""
            out, at = [], start
            index = 0
            while index < len(inner):
                key = inner[index]
                nested = []
                index += 1
                while index < len(inner) and inner[index][0] < key[1]:
                    nested.append(inner[index])
                    index += 1
                out.append(plain(at, key[0]))
                body = piece(key[0], key[1], nested)
                for number, becomes in groups[key]:
                    if number == -1:
                        body = becomes
                    else:
                        body = f"(if crate::mutant({number}) {{ {becomes} }} else {{ {body} }})"
                out.append(body)
                at = key[1]
            out.append(plain(at, end))
            return "".join(out)

        def plain(start, end):
            """The text between wraps, with what is inserted there."""
            out, at = [], start
            for place, what in inserts:
                if start < place <= end:
                    out.append(data[at:place].decode() + what)
                    at = place
            out.append(data[at:end].decode())
            return "".join(out)

        return piece(0, len(data), keys)


def used(plan, change):
    """Whether a constant is used outside of tests and cases."""
    source, item = change.source, change.item
    constant = plan.constants.get((source.path, item.start_byte))
    if constant is None:
        return True
    for other in plan.sources.values():
        if other is not source and (not constant.public or constant.name not in other.original):
            continue
        for node, _, _ in leaf_uses(other, constant.name):
            if node.parent == item or (other is source and item.start_byte <= node.start_byte < item.end_byte):
                continue
            if any(p.type == "use_declaration" for _, p in ancestors(node)):
                continue
            if not excluded(other, node):
                return True
    return False
