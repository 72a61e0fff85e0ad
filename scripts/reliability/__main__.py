import sys
from scripts.reliability import wrong_turns

print(
    wrong_turns.report(
        wrong_turns.survey(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
    )
)
