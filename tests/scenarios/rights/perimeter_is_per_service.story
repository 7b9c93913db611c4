# The scope is set service by service: all meters listed, the curves of one site only.
Given Forges is a company
Given Forges holds P1, P2, P3
Given Diane administers Forges
Given Anna and Bruno are users of Forges
Given Lyon is a group of Forges: Anna
Given Lyon has meters on all points
Given Lyon has measurements on P1
Then Anna uses meters on P1, P2, P3
Then Anna uses measurements on P1
Then Anna may not use measurements on P2: outside perimeter (Lyon)
