# Restricted to no point is no access, not access to all.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
When Diane gives measurements on no point to Lyon
Then Anna uses measurements on nothing
Then Anna may not use measurements on P1: outside perimeter (Lyon)
