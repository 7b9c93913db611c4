# When no group has the service any more, it is open to all again.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Énergie is a group of Forges: Anna
Given Finances is a group of Forges: nobody
Given Énergie has measurements on all points
Given Finances has measurements on all points
When Diane takes measurements from Énergie
Then Anna may not use measurements: reserved (Finances)
When Diane takes measurements from Finances
Then Anna and Bruno use measurements: open to all
