# Naming a point in a perimeter gives no access to it: the company must hold it.
Given Forges is a company
Given Moulins is a company
Given Forges holds P1
Given Moulins holds P9
Given Diane administers Forges
Given Anna is a user of Forges
Given Lyon is a group of Forges: Anna
When Diane gives measurements on P1, P9 to Lyon
Then Anna uses measurements on P1
Then Anna may not use measurements on P9: not held
Then Diane may not use measurements on P9: not held
