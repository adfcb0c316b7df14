"""DeltaBlue, the incremental solver of constraint hierarchies: many small objects and short methods.

The algorithm is that of Sannella, Maloney, Freeman-Benson and Borning, "Multi-way versus one-way constraints in user
interfaces" (1993): each variable knows the constraint that determines it and how strongly, so a constraint that comes or
goes only changes what depends on it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Iterator, Optional

from work_time import measure


class Strength(IntEnum):
    """Lower is stronger."""

    REQUIRED = 0
    STRONG_PREFERRED = 1
    PREFERRED = 2
    STRONG_DEFAULT = 3
    DEFAULT = 4
    WEAK_DEFAULT = 5
    WEAKEST = 6


class Variable:
    def __init__(self, name: str, value: int = 0) -> None:
        self.name = name
        self.value = value
        self.constraints: list[Constraint] = []
        self.determined_by: Optional[Constraint] = None
        self.walk_strength = Strength.WEAKEST
        self.stays = True
        self.mark = 0


class Constraint:
    """What holds between its variables; a method of it computes one of them from the others."""

    is_input = False

    def __init__(self, strength: Strength, *variables: Variable) -> None:
        self.strength = strength
        self.variables = variables
        self.output: Optional[Variable] = None

    def possible_outputs(self) -> tuple[Variable, ...]:
        return self.variables

    def inputs(self) -> Iterator[Variable]:
        return (variable for variable in self.variables if variable is not self.output)

    def choose_output(self, mark: int) -> None:
        """The variable that is most weakly determined and not spoken for, if this constraint is stronger."""
        self.output = None
        weakest = self.strength
        for variable in self.possible_outputs():
            if variable.mark != mark and variable.walk_strength > weakest:
                weakest = variable.walk_strength
                self.output = variable

    def output_strength(self) -> Strength:
        """No weaker than the constraint, and no stronger than the variables that could be changed instead."""
        others = [v.walk_strength for v in self.possible_outputs() if v is not self.output]
        return max([self.strength, *others])

    def execute(self) -> None:
        """Compute the output."""

    def recalculate(self) -> None:
        output = self.output
        assert output is not None
        output.walk_strength = self.output_strength()
        output.stays = not self.is_input and all(variable.stays for variable in self.inputs())
        if output.stays:
            self.execute()

    def inputs_known(self, mark: int) -> bool:
        return all(v.mark == mark or v.stays or v.determined_by is None for v in self.inputs())


class Stay(Constraint):
    """The variable keeps its value."""


class Edit(Constraint):
    """The variable is changed from outside."""

    is_input = True


class Equal(Constraint):
    def execute(self) -> None:
        first, second = self.variables
        if self.output is second:
            second.value = first.value
        else:
            first.value = second.value


class Scaled(Constraint):
    """result = source * factor + offset, in either direction."""

    def __init__(
        self, strength: Strength, source: Variable, factor: Variable, offset: Variable, result: Variable
    ) -> None:
        super().__init__(strength, source, factor, offset, result)

    def possible_outputs(self) -> tuple[Variable, ...]:
        return (self.variables[0], self.variables[3])

    def execute(self) -> None:
        source, factor, offset, result = self.variables
        if self.output is result:
            result.value = source.value * factor.value + offset.value
        else:
            source.value = (result.value - offset.value) // factor.value


class Planner:
    def __init__(self) -> None:
        self.last_mark = 0

    def add(self, constraint: Constraint) -> None:
        for variable in constraint.variables:
            variable.constraints.append(constraint)
        self.last_mark += 1
        displaced: Optional[Constraint] = constraint
        while displaced is not None:
            displaced = self.satisfy(displaced, self.last_mark)

    def remove(self, constraint: Constraint) -> None:
        output = constraint.output
        constraint.output = None
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        if output is None:
            return
        output.determined_by = None
        output.walk_strength = Strength.WEAKEST
        output.stays = True
        for unsatisfied in sorted(self.propagate_from(output), key=lambda each: each.strength):
            self.last_mark += 1
            displaced: Optional[Constraint] = unsatisfied
            while displaced is not None:
                displaced = self.satisfy(displaced, self.last_mark)

    def satisfy(self, constraint: Constraint, mark: int) -> Optional[Constraint]:
        """Enforce it if it can be; the constraint that determined its output until now has to look for another."""
        constraint.choose_output(mark)
        output = constraint.output
        if output is None:
            if constraint.strength is Strength.REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        for variable in constraint.inputs():
            variable.mark = mark
        displaced = output.determined_by
        if displaced is not None:
            displaced.output = None
        output.determined_by = constraint
        if not self.propagate(constraint, mark):
            raise ValueError("the constraints form a cycle")
        output.mark = mark
        return displaced

    def propagate(self, constraint: Constraint, mark: int) -> bool:
        waiting = [constraint]
        while waiting:
            each = waiting.pop()
            assert each.output is not None
            if each.output.mark == mark:
                self.remove(constraint)
                return False
            each.recalculate()
            waiting.extend(self.consumers(each.output))
        return True

    def propagate_from(self, output: Variable) -> list[Constraint]:
        """Recalculate all that depended on it; what is found unsatisfied meanwhile is returned."""
        unsatisfied: list[Constraint] = []
        waiting = [output]
        while waiting:
            variable = waiting.pop()
            unsatisfied.extend(each for each in variable.constraints if each.output is None)
            for each in self.consumers(variable):
                each.recalculate()
                assert each.output is not None
                waiting.append(each.output)
        return unsatisfied

    @staticmethod
    def consumers(variable: Variable) -> list[Constraint]:
        by = variable.determined_by
        return [each for each in variable.constraints if each is not by and each.output is not None]

    def plan(self, inputs: list[Constraint]) -> list[Constraint]:
        """The constraints to execute, in order, whenever the inputs have changed."""
        self.last_mark += 1
        mark = self.last_mark
        ordered: list[Constraint] = []
        waiting = [each for each in inputs if each.output is not None]
        while waiting:
            each = waiting.pop()
            output = each.output
            assert output is not None
            if output.mark != mark and each.inputs_known(mark):
                ordered.append(each)
                output.mark = mark
                waiting.extend(self.consumers(output))
        return ordered


def edited(planner: Planner, variable: Variable, values: range) -> None:
    edit = Edit(Strength.PREFERRED, variable)
    planner.add(edit)
    plan = planner.plan([edit])
    for value in values:
        variable.value = value
        for constraint in plan:
            constraint.execute()
    planner.remove(edit)


def chain(length: int) -> None:
    """Variables that are all equal; the first is changed, and the last follows."""
    planner = Planner()
    variables = [Variable(f"v{index}") for index in range(length + 1)]
    for before, after in zip(variables, variables[1:]):
        planner.add(Equal(Strength.REQUIRED, before, after))
    planner.add(Stay(Strength.STRONG_DEFAULT, variables[-1]))
    edited(planner, variables[0], range(30))
    assert variables[-1].value == 29, "the chain does not follow"


def projection(size: int) -> None:
    """Points that are mapped by a scale and an offset which all of them share."""
    planner = Planner()
    factor, offset = Variable("factor", 10), Variable("offset", 1000)
    points: list[tuple[Variable, Variable]] = []
    for index in range(size):
        source, result = Variable(f"s{index}", index), Variable(f"r{index}", index)
        points.append((source, result))
        planner.add(Stay(Strength.DEFAULT, source))
        planner.add(Scaled(Strength.REQUIRED, source, factor, offset, result))
    source, result = points[-1]
    edited(planner, source, range(17, 18))
    assert result.value == 17 * 10 + 1000, "forward"
    edited(planner, result, range(1050, 1051))
    assert source.value == 5, "backward"
    edited(planner, factor, range(5, 6))
    assert all(r.value == s.value * 5 + 1000 for s, r in points[:-1]), "a new factor"
    edited(planner, offset, range(2000, 2001))
    assert all(r.value == s.value * 5 + 2000 for s, r in points[:-1]), "a new offset"


def work(rounds: int) -> None:
    for _ in range(rounds):
        chain(150)
        projection(150)


if __name__ == "__main__":
    measure(work, 120)
