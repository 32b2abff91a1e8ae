"""What everything rests on: contracts, areas, periods, results, runs and errors. Imports nothing else of ours."""
